"""What is wrong with products that could be read, told all at once."""
