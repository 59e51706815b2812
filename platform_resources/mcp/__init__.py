"""The marketplace for agents: its JSON as tools, by the same tokens and grants."""
