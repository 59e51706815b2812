"""Commands about what comes into the mesh."""
