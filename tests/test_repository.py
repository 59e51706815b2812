"""A mesh on disk: where its root is, what is read, and what is written."""

import pytest

from platform_resources.dbt.planning import read_plan
from platform_resources.repository.generated_files import write_generated_files
from platform_resources.repository.mesh_folders import NoMesh, mesh_root, state_folder
from platform_resources.repository.mesh_repository import read_mesh
from platform_resources.spec.problems import problems_text
from tests.meshes import model_file, product_file, write_mesh


def test_the_root_is_the_nearest_folder_above_that_has_dataproducts(tiny):
    below = tiny / "dataproducts" / "plant" / "readings"
    assert mesh_root(start=below) == tiny.resolve()
    assert mesh_root(tiny) == tiny.resolve()


def test_a_folder_that_is_no_mesh_is_refused_with_what_to_do(tmp_path):
    with pytest.raises(NoMesh, match="is no mesh: it has no folder dataproducts/"):
        mesh_root(tmp_path)
    with pytest.raises(NoMesh, match="go into a mesh or give --root DIR"):
        mesh_root(start=tmp_path)


def test_state_is_kept_in_the_mesh_unless_the_environment_names_a_folder(tiny, tmp_path, monkeypatch):
    monkeypatch.delenv("MESH_STATE", raising=False)
    assert state_folder(tiny) == tiny
    monkeypatch.setenv("MESH_STATE", str(tmp_path / "elsewhere"))
    assert state_folder(tiny) == (tmp_path / "elsewhere").resolve()


def test_products_are_read_with_the_texts_beside_them(tiny):
    write_mesh(tiny, {"dataproducts/plant/readings/extract.py": "x = 1\n", "dbt_project/models/plant/readings/own.yml": "models: []\n"})
    mesh = read_mesh(tiny)
    texts = mesh.texts[product_file("plant", "readings")]
    assert [product.name for product in mesh.products] == ["summary", "readings"]
    assert [model.file for model in texts.models] == [model_file("plant", "readings", "measurements")]
    assert (dict(texts.modules), list(texts.properties)) == ({"extract": "x = 1\n"}, ["dbt_project/models/plant/readings/own.yml"])


NOT_TEXT = [
    product_file("plant", "readings"),
    model_file("plant", "readings", "measurements"),
    "dataproducts/plant/readings/extract.py",
    "dbt_project/models/plant/readings/own.yml",
    "dbt_project/tests/plant/readings/sums.sql",
]


@pytest.mark.slow
@pytest.mark.parametrize("file", NOT_TEXT)
def test_a_file_that_is_not_utf_8_is_a_problem_of_its_product_alone(tiny, file):
    write_mesh(tiny, {file: ""})
    (tiny / file).write_bytes(b"# first line\n\xff\xfe\n")
    plan, problems = read_plan(tiny)
    assert problems_text(problems) == f"{file}:2\n  the file is not text in UTF-8\n  save it with the encoding UTF-8"
    assert [product.name for product in plan.products] == ["summary"]


def test_a_folder_with_the_name_of_a_document_is_a_problem(tiny):
    (tiny / "dataproducts/plant/odd/product.yaml").mkdir(parents=True)
    plan, problems = read_plan(tiny)
    assert problems_text(problems) == "dataproducts/plant/odd/product.yaml:1\n  the file cannot be read: Is a directory"
    assert [product.name for product in plan.products] == ["readings", "summary"]


def test_generated_files_are_written_only_where_they_differ(tiny):
    product = read_plan(tiny)[0].product("readings")
    file = tiny / "dbt_project/models/plant/readings/_generated.yml"
    write_generated_files(tiny, product.files)
    assert file.read_text(encoding="utf-8") == product.files[0].text
    before = file.stat().st_mtime_ns
    write_generated_files(tiny, product.files)
    assert file.stat().st_mtime_ns == before
    file.write_text("changed by hand")
    write_generated_files(tiny, product.files)
    assert file.read_text(encoding="utf-8") == product.files[0].text
    assert [path.name for path in file.parent.glob("*.part")] == []


def test_generated_files_are_not_read_as_the_teams_own(tiny):
    write_generated_files(tiny, read_plan(tiny)[0].product("readings").files)
    assert problems_text(read_plan(tiny)[1]) == ""
