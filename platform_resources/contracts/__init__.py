"""Contracts: what a product promises its consumers, how two contracts differ, and which version number that requires (pure)."""
