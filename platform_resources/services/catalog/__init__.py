"""The catalog: search, product pages, access snippets, similar products, usage and reviews."""
