"""How the platform grows: one file, or one entry point, per capability."""
