"""Input port interfaces, one file each."""
