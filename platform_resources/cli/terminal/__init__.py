"""What all commands share on a terminal: where they find the mesh and its ledger, and how they print."""
