"""Commands that find and explain data."""
