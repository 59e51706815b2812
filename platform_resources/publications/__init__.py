"""Published versions: where they are kept, how consumers read them, and whether they can."""
