"""A mesh repository on disk: where it is, which files it has and needs, and their texts."""
