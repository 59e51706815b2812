"""Reading only some products: the same plan of them as from the whole mesh, without reading the rest."""

from pathlib import Path

import pytest

from platform_resources.dbt.planning import read_plan
from platform_resources.plan.plan_text import plan_json
from platform_resources.repository.mesh_repository import read_mesh
from tests.meshes import REPOSITORY, edited, product_file, tiny_mesh

pytestmark = pytest.mark.slow


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return tiny_mesh(tmp_path)


def names(root: Path, *only: str) -> list[str]:
    return [product.name for product in read_mesh(root, only=only).products]


@pytest.mark.parametrize("product", [product.name for product in read_plan(REPOSITORY)[0].products])
def test_a_product_planned_alone_is_planned_as_in_the_whole_mesh(product: str) -> None:
    alone, whole = read_plan(REPOSITORY, [product])[0], read_plan(REPOSITORY)[0]
    assert [each.name for each in alone.products] == [product]
    assert plan_json(alone.product(product)) == plan_json(whole.product(product))


def test_only_what_is_upstream_is_read(tiny: Path) -> None:
    assert names(tiny, "readings") == ["readings"]
    assert names(tiny, "summary") == ["summary", "readings"]


@pytest.mark.parametrize("asked", ["nothing_like_it", "*", "../office/summary", ""])
def test_a_name_that_is_no_folder_reads_the_whole_mesh(tiny: Path, asked: str) -> None:
    assert names(tiny, asked) == names(tiny, "summary")


@pytest.mark.parametrize("summary", ["as it was", ": ["])
def test_a_product_that_claims_anothers_name_is_refused_also_when_it_is_read_alone(tiny: Path, summary: str) -> None:
    edited(tiny, product_file("plant", "readings"), "title: Sensor readings", "title: Sensor readings\n        renamed_from: [summary]")
    if summary != "as it was":
        (tiny / product_file("office", "summary")).write_text(summary)
    plan, problems = read_plan(tiny, ["readings"])
    assert plan.products == ()
    assert any('"summary" is still the name of the product in dataproducts/office/summary/product.yaml' in p.message for p in problems)


def test_who_has_a_grant_by_a_former_name_is_told_where_it_is_given(tiny: Path) -> None:
    edited(tiny, product_file("plant", "readings"), "'product:summary'", "'product:report'")
    edited(tiny, product_file("office", "summary"), "title: ", "renamed_from: report\n        title: ")
    plan, problems = read_plan(tiny)
    (warning,) = [each for each in problems if "has the grant" in each.message]
    assert (warning.file, warning.severity) == (product_file("plant", "readings"), "warning")
    assert "summary of domain office says that it was called report, so it has the grant of product:report now" in warning.message
    assert [grant.subject for grant in plan.product("readings").offers.grants] == ["product:summary"]


def test_an_upstream_product_that_is_missing_reads_the_whole_mesh_so_that_the_message_knows_it(tiny: Path) -> None:
    edited(tiny, product_file("office", "summary"), "readings.measurements_sql", "reading.measurements_sql")
    whole, part = read_plan(tiny)[1], read_plan(tiny, ["summary"])[1]
    assert part == whole
    assert any("did you mean" in problem.hint for problem in part)
