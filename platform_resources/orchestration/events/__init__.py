"""The events that a refresh writes to the log of Dagster, and how they are read back."""
