"""How the input ports of a product are loaded from files and other sources, and what becomes of rows that break their contract."""
