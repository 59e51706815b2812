"""Dimensions of quality, one file each."""
