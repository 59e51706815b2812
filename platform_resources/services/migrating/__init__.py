"""How does a dbt project that exists already become a data product of the mesh?"""
