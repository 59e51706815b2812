"""What several capabilities compute or check in the same way."""
