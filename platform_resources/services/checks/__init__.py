"""Actions on checks: apply monitors as code, backtest thresholds, and import results of tests that ran elsewhere."""
