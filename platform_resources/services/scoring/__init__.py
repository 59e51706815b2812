"""How the score of a product is made: what is seen of it, tried on it, and kept."""
