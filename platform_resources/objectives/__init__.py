"""Pure rules about promises: what readings mean, and what became of objectives over time."""
