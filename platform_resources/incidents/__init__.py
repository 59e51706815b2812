"""Pure rules about incidents: when one opens, what caused it, how bad it is, and how it ends."""
