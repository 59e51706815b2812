"""How dbt builds a product in this process, and what it says of the result."""
