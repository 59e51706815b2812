"""Snowflake: one database of the account for each product, and rows of every version for consumers."""
