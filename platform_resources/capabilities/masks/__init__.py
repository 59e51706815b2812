"""How a role sees a column's values instead of the values themselves, one file each."""
