"""Commands about contracts between products and consumers."""
