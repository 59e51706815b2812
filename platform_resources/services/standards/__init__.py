"""Export products to documents of other standards, and import such documents."""
