"""The data lab: SQL over published versions, as each reader may see them."""
