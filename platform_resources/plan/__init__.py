"""The frozen plan of a mesh, as data, and the names that follow from it."""
