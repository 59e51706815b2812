"""Messages out: what is said, to which channels, and how it gets there."""
