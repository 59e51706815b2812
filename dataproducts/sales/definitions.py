"""The sales domain's Dagster code location."""

from platform_resources.orchestration.definitions import domain_definitions

defs = domain_definitions(__file__)
