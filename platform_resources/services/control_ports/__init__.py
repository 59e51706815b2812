"""Control ports: register products in catalogs and registries, and send lineage events."""
