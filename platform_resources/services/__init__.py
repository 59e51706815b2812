"""What the platform can do, as plain functions without Dagster, a terminal or the web."""
