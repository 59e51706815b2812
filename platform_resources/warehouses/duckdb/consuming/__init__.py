"""SQL of consumers: what it may name, over which files it runs, and in which process."""
