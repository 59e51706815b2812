"""Pure rules about promises: what readings mean, and how well a promise was kept over time."""
