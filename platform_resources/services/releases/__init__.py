"""Compare products with their last release, and check whether they may be released."""
