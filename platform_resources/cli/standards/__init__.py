"""Commands about documents of other standards and tools."""
