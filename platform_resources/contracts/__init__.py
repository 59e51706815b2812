"""What a product promises its consumers as plain data, how two such promises differ, and which version that demands (pure)."""
