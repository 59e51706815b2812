"""What is in a delivered file, and how DuckDB reads it without losing a value."""
