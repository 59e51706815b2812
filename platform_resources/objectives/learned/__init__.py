"""Thresholds learned from what was usual: one module per kind of metric. Everything here is pure; the value judged never takes part."""
