"""How products are registered by themselves at catalogs, registries and sinks of events: their control ports."""
