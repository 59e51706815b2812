"""The documents of other standards and tools that a product may be written as, one file each."""
