"""Commands about inputs: imports, quarantine, repairs."""
