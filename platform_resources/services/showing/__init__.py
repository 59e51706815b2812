"""Views of a mesh at a moment for web pages and commands, and actions on incidents."""
