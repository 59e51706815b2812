"""Small plans for tests of the catalog, read from documents without any database."""

from pathlib import Path

import pytest

from platform_resources.dbt.planning import read_plan
from platform_resources.plan.plan import MeshPlan
from tests.meshes import component, model_file, product_file, product_yaml, tiny_mesh, write_mesh

STOCK = product_yaml(
    "stock",
    "warehouse",
    component(
        "levels",
        "data-set",
        """
description: One row per article and store.
primary_key: [article_id]
columns:
  - {name: article_id, type: bigint, identifier: article, description: The article.}
  - {name: sensor, type: varchar, identifier: sensor, description: Which sensor counted it.}
  - {name: pieces, type: bigint, unit: pieces, description: "How many are there, <b>now</b>."}
""",
    ),
    component("levels_sql", "output-port", "interface: sql\ndata_set: levels"),
    component(
        "Articles to order",
        "sample-query",
        "port: levels_sql\nsql: select article_id from levels where pieces < 3 order by pieces\ndescription: What runs out.",
    ),
    title="Stock levels",
    description="What lies in which store. Überblick über alle Läden.",
    purpose="Order in time what runs out.",
    archetype="aggregate",
    certified="true",
    tags="[logistics, sensors]",
    owners="{business: ada.lovelace@example.com, technical: team:stock-data}",
)


@pytest.fixture(scope="module")
def plan(tmp_path_factory) -> MeshPlan:
    """The products readings and summary of the tiny mesh, and `stock`."""
    return plan_of(tmp_path_factory.mktemp("catalog"))


def plan_of(folder: Path) -> MeshPlan:
    tiny_mesh(folder)
    write_mesh(folder, {product_file("warehouse", "stock"): STOCK, model_file("warehouse", "stock", "levels"): "select 1 as article_id"})
    found, problems = read_plan(folder)
    assert [problem for problem in problems if problem.severity == "error"] == []
    return found
