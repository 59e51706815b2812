"""A refresh of one product from its first stage to its last, without Dagster, and what its checks say."""
