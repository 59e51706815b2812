"""DuckDB: one database file for each product, and files for consumers."""
