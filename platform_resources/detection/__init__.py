"""Which columns probably hold personal data, by their names and by what their values look like (pure)."""
