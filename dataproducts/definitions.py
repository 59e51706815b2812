"""The whole mesh as one code location: what `dg list defs` and `dg check defs` load."""

from pathlib import Path

from platform_resources import mesh_definitions

defs = mesh_definitions(Path(__file__).parents[1])
