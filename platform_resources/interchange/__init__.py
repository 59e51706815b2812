"""How a product's components and the documents of other standards become each other (pure)."""
