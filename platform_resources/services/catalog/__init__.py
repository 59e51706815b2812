"""What whoever looks for data sees: search, product pages, access, similar products, use, candidates, and made-up history."""
