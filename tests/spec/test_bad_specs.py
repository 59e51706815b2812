"""What `mesh validate` prints for each mistake in tests/bad_specs: the whole text, to be read aloud.

A folder holds either one product.yaml (of the product sales/orders, its models and modules beside it) or a tree as in a mesh.
"""

import shutil
from pathlib import Path

import pytest

from platform_resources.dbt.planning import read_plan
from platform_resources.plan import conventions
from platform_resources.spec.problems import problems_text
from tests.golden_files import assert_golden
from tests.meshes import product_file, write_mesh

pytestmark = pytest.mark.slow

FOLDERS = sorted(path for path in Path(__file__).parents[1].joinpath("bad_specs").iterdir() if path.is_dir())
DOMAIN, PRODUCT = "sales", "orders"


def mesh_of(case: Path, folder: Path) -> Path:
    """A mesh in `folder` that has what the case has, and a model for its data set if it has none."""
    write_mesh(folder, {})
    if not (case / "product.yaml").exists():
        return shutil.copytree(case, folder, dirs_exist_ok=True)
    product = folder / Path(product_file(DOMAIN, PRODUCT)).parent
    models = folder / conventions.models_folder(DOMAIN, PRODUCT)
    product.mkdir(parents=True)
    models.mkdir(parents=True)
    (models / "orders.sql").write_text("select 1 as order_id\n")
    for file in case.iterdir():
        if file.name != "error.txt":
            shutil.copy(file, models if file.suffix in (".sql", ".yml") else product)
    return folder


@pytest.mark.parametrize("case", FOLDERS, ids=lambda case: case.name)
def test_a_bad_spec_is_told_in_full(case, tmp_path):
    _, problems = read_plan(mesh_of(case, tmp_path))
    assert_golden(problems_text(problems) + "\n", case / "error.txt")


def test_every_bad_spec_has_a_problem():
    assert [case.name for case in FOLDERS if not (case / "error.txt").read_text().strip()] == []
