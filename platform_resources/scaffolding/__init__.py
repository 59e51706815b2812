"""The files of a new mesh, domain or product: what they say, and what is guessed for them from data (pure)."""
