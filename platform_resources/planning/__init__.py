"""Products to one frozen plan: everything that is decided is decided here, purely."""
