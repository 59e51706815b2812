"""One refresh of a product: pull its inputs, note what dbt built, audit it, publish it."""
