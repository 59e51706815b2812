"""What a product gives others to see, and what it receives of others: views of published versions, and the key of masks."""
