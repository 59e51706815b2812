"""Commands that backtest thresholds and score products."""
