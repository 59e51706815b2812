"""A mesh of one's own, made by doing what `mesh validate` says."""

import shutil

import pytest

from platform_resources.dbt.planning import read_plan
from platform_resources.repository.mesh_repository import build_problems, house_problems
from tests.meshes import TINY_MESH, edited, tiny_mesh
from tests.refresh.running import running

WAY_OUT = "write into it: "
ERRORS = ["dbt_project/dbt_project.yml", "dbt_project/profiles.yml"]
WARNINGS = ["dataproducts/office/definitions.py", "dataproducts/plant/definitions.py", "workspace.yaml"]


@pytest.fixture
def bare(tmp_path):
    """Products and models, and nothing else."""
    tiny_mesh(tmp_path)
    shutil.rmtree(tmp_path / "dbt_project/macros")
    for name in ("dbt_project.yml", "profiles.yml"):
        (tmp_path / "dbt_project" / name).unlink()
    return tmp_path


def problems(root):
    plan, found = read_plan(root)
    assert found == ()
    return (*build_problems(root, plan), *house_problems(root, plan))


def obey(root):
    for problem in problems(root):
        assert problem.hint.startswith(WAY_OUT)
        (root / problem.file).write_text(problem.hint.removeprefix(WAY_OUT) + "\n")


def test_everything_that_is_missing_around_the_products_is_named(bare):
    found = problems(bare)
    assert [problem.file for problem in found if problem.severity == "error"] == ERRORS
    assert [problem.file for problem in found if problem.severity == "warning"] == WARNINGS
    obey(bare)
    assert problems(bare) == ()


@pytest.mark.slow
def test_what_the_messages_say_to_write_is_enough_for_a_refresh(bare):
    obey(bare)
    with running(bare) as mesh:
        refreshed = mesh.refresh("readings", "summary")
        assert [done.outcome for done in refreshed] == ["published", "published"], refreshed


def test_a_profile_that_does_not_read_the_product_s_database_is_a_problem(tiny):
    edited(tiny, ERRORS[1], "env_var('MESH_DUCKDB', ':memory:')", "env_var('MY_DATABASE', ':memory:')")
    (problem,) = build_problems(tiny, read_plan(tiny)[0])
    assert (problem.file, problem.message.partition(":")[0]) == (ERRORS[1], "the file does not read MESH_DUCKDB")


@pytest.mark.slow
@pytest.mark.parametrize("paths", ["[models]", "[\"{{ env_var('MESH_MODELS', 'models') }}\"]"])
def test_dbt_sees_one_product_only_wherever_the_project_has_its_models(tiny, paths):
    edited(tiny, ERRORS[0], "model-paths: [models]", f"model-paths: {paths}")
    assert build_problems(tiny, read_plan(tiny)[0]) == ()
    (tiny / "dbt_project/models/office/summary/sensors.sql").write_text("select {{ nonsense( }}")
    with running(tiny) as mesh:
        assert [done.outcome for done in mesh.refresh("readings")] == ["published"]


def test_a_domain_that_workspace_yaml_does_not_name_is_told(bare):
    obey(bare)
    edited(bare, "workspace.yaml", "dataproducts/office/definitions.py", "elsewhere.py")
    (problem,) = problems(bare)
    assert problem.message == "it does not name dataproducts/office/definitions.py, so Dagster does not show the domain office"


@pytest.mark.parametrize("place", ["dataproducts/product.yaml", "dataproducts/plant/product.yaml", "dataproducts/plant/other/product.yml"])
def test_a_document_that_is_not_read_is_told(tiny, place):
    (tiny / place).parent.mkdir(exist_ok=True)
    (tiny / place).write_text(next(iter(TINY_MESH.values())))
    assert place in [problem.file for problem in problems(tiny)]
