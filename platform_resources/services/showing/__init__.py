"""What people are shown of a mesh at a moment, and what they may do to its incidents."""
