"""Commands that judge: what thresholds would have said of the past, and the score of products."""
