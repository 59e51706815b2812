"""Results of dbt tests that ran elsewhere, read and matched to the checks of the mesh."""
