"""Who may read what: requests and decisions, and what a reader gets of what is published."""
