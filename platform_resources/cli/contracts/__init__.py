"""Commands about what products promise, and what becomes of that."""
