"""How rows of an input are read by the interfaces that need a library of their own, which is imported only then."""
