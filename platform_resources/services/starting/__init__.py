"""How a mesh, a domain or a product begins: a source is looked at, and all files are written or none."""
