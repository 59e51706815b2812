"""A data product platform: one YAML file and dbt SQL become audited, published data products in Dagster."""
