"""How products and the texts beside them become the plan."""
