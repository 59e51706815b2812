"""The finance domain's Dagster code location."""

from platform_resources import domain_definitions

defs = domain_definitions(__file__)
