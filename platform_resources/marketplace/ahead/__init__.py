"""Pages that all server processes share, and the process that judges and makes them for all."""
