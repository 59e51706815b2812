"""How secrets are kept out of every text that the platform writes or shows."""
