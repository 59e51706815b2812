"""What a data product says: frozen models, names, versions; YAML text to a Product or Problems. No I/O beyond text."""
