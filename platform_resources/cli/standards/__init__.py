"""Commands that export to and import from other standards and tools."""
