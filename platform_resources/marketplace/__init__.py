"""Web pages where people find data products and see why to trust them, and the same as JSON: `mesh serve`."""
