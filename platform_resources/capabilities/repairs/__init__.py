"""Ways to mend values that break a promise, proposed from the data."""
