"""The kinds of values that a specification holds: names, durations, versions, types, URLs."""
