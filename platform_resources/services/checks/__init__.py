"""What people do with checks: apply monitors as code, and import results of tests that ran elsewhere."""
