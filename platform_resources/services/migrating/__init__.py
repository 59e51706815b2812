"""A dbt project that exists already, made a data product of the mesh: what goes where, what must be said, what is left to a person."""
