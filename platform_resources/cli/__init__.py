"""`mesh`: the command line of the platform."""
