"""Which columns are made from which, within a model's SQL and across products (pure)."""
