"""The marketplace web application: pages and a JSON API over the catalog (`mesh serve`)."""
