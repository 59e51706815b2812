"""Turn an existing dbt project into a data product of the mesh."""
