"""Thresholds that are learned from an objective's own history."""
