"""What people and the platform do about events: incidents, messages, subscriptions, monitors."""
