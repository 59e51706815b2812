"""Commands about who may read what."""
