"""Back up a mesh, and put a backup back."""
