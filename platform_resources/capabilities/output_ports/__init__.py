"""Output port interfaces, one file each."""
