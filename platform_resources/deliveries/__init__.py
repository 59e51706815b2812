"""Which files a source has delivered, and whether they are whole."""
