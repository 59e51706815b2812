"""How products are written as documents of other standards and tools, and made of such documents."""
