"""Run the refresh of one product from pull to score without Dagster, and record its check results."""
