"""What all commands share: finding the mesh, opening the ledger, printing."""
