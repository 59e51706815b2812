"""Notifications: their content, their recipients, and their delivery."""
