"""The marketplace for AI agents: its JSON API as tools, with the same tokens and grants."""
