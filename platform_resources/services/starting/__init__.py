"""Create a mesh, a domain, or a product from an existing source."""
