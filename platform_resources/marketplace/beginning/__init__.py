"""A new product by a form: from a file or a table to a patch of the repository."""
