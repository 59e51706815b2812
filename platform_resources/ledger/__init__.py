"""What happened, in SQL: a projection of Dagster's event log, and what people do about it."""
