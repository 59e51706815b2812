"""A mesh and a domain that `mesh init` and `mesh new domain` write: nothing is missing, nothing is overwritten, nothing stays half."""

import os
import signal
import sys
from pathlib import Path

import pytest
import yaml

from platform_resources.dbt.planning import read_plan
from platform_resources.repository import placing
from platform_resources.repository.mesh_repository import build_problems, house_problems
from platform_resources.repository.placing import InTheWay, place
from platform_resources.scaffolding.mesh_files import with_location
from platform_resources.services.starting.new_meshes import CannotBegin, new_domain, new_mesh
from platform_resources.spec.domain_document import read_domain
from platform_resources.spec.problems import problems_text
from tests.meshes import REPOSITORY, TINY_MESH, model_file, product_file


def texts(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file() and ".mesh" not in path.parts
    }


def test_a_new_mesh_has_the_dbt_project_of_this_repository(tmp_path):
    new_mesh(tmp_path / "shop", None, None)
    own = {
        path: text
        for path, text in texts(REPOSITORY / "dbt_project").items()
        if path.split("/")[0] not in ("models", "tests", "target", "logs")
    }
    assert texts(tmp_path / "shop/dbt_project") == own


def test_a_new_mesh_keeps_out_of_git_what_this_repository_keeps_out(tmp_path):
    new_mesh(tmp_path / "shop", None, None)
    state = (REPOSITORY / ".gitignore").read_text().partition("# state of the mesh")[2].splitlines()[1:]
    assert {line for line in state if not line.startswith("#")} <= set((tmp_path / "shop/.gitignore").read_text().splitlines())


def test_a_new_mesh_names_no_folder_of_this_machine(tmp_path):
    new_mesh(tmp_path / "shop", None, None)
    text = (tmp_path / "shop/pyproject.toml").read_text()
    assert "platform-resources[marketplace,sources]>=" in text and "file:" not in text


@pytest.mark.slow
def test_nothing_is_missing_around_a_product_of_a_new_mesh(tmp_path):
    root = tmp_path / "plant"
    new_mesh(root, None, None)
    for path in (
        product_file("plant", "readings"),
        model_file("plant", "readings", "measurements"),
        "dataproducts/plant/readings/README.md",
    ):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(TINY_MESH[path])
    plan, problems = read_plan(root)
    assert problems_text(problems) == ""
    assert [product.name for product in plan.products] == ["readings"]
    assert (build_problems(root, plan), house_problems(root, plan)) == ((), ())


@pytest.mark.parametrize(("folder", "domain"), [("Shop", "shop"), ("our-shop 2", "our_shop_2"), ("ärger", "aerger")])
def test_the_first_domain_is_called_after_the_folder(tmp_path, folder, domain):
    new_mesh(tmp_path / folder, None, None)
    written = tmp_path / folder / f"dataproducts/{domain}/domain.yaml"
    reading = read_domain(written.read_text(), "domain.yaml")
    assert (problems_text(reading.problems), reading.domain.owners.names) == ("", (f"team:{domain}",))


@pytest.mark.parametrize(
    ("folder", "domain", "owner", "said"),
    [
        ("学校", None, None, '"" is no name of a domain'),
        ("shop", "Sales", None, '"Sales" is no name of a domain: lower case letters, digits and _'),
        ("shop", "pins", None, 'a domain may not be called "pins"; it is reserved'),
        ("shop", "calendars", None, 'a domain may not be called "calendars"; it is reserved'),
        ("shop", None, "me", '"me" is no owner; write an e-mail address or team:name'),
    ],
)
def test_what_cannot_be_a_mesh_is_refused_and_nothing_is_written(tmp_path, folder, domain, owner, said):
    with pytest.raises(CannotBegin, match=said):
        new_mesh(tmp_path / folder, domain, owner)
    assert list(tmp_path.iterdir()) == []


def test_a_mesh_does_not_begin_within_another(tmp_path):
    new_mesh(tmp_path / "shop", None, None)
    with pytest.raises(CannotBegin, match="lies in the mesh"):
        new_mesh(tmp_path / "shop/docs", None, None)


def test_every_file_that_is_in_the_way_is_named_and_none_is_touched(tmp_path):
    (tmp_path / "dbt_project/models").mkdir(parents=True)
    (tmp_path / "dbt_project/models/a.sql").write_text("select 1")
    (tmp_path / "README.md").write_text("mine")
    (tmp_path / "notes.txt").write_text("mine")
    before = texts(tmp_path)
    with pytest.raises(InTheWay) as refused:
        new_mesh(tmp_path, "shop", None)
    assert refused.value.paths == ("README.md", "dbt_project/models/a.sql")
    assert texts(tmp_path) == before


def test_a_folder_that_has_other_files_becomes_a_mesh(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    files = new_mesh(tmp_path, "shop", None)
    assert texts(tmp_path).keys() == {*files, "notes.txt"}


def test_a_domain_is_added_to_those_that_dagster_shows(tmp_path):
    root = tmp_path / "shop"
    new_mesh(root, None, None)
    assert new_domain(root, "finance", "cfo@example.com")[-1] == "workspace.yaml"
    named = [entry["python_file"]["location_name"] for entry in yaml.safe_load((root / "workspace.yaml").read_text())["load_from"]]
    assert named == ["shop", "finance"]
    with pytest.raises(InTheWay):
        new_domain(root, "finance", None)


def test_a_domain_whose_location_was_not_written_any_more_gets_it_by_the_same_command(tmp_path):
    root = tmp_path / "shop"
    new_mesh(root, None, None)
    before = (root / "workspace.yaml").read_text()
    new_domain(root, "finance", None)
    whole, own = (root / "workspace.yaml").read_text(), (root / "dataproducts/finance/domain.yaml").read_text()
    (root / "workspace.yaml").write_text(before)
    new_domain(root, "finance", "cfo@example.com")
    assert ((root / "workspace.yaml").read_text(), (root / "dataproducts/finance/domain.yaml").read_text()) == (whole, own)


@pytest.mark.parametrize("text", ["load_from: [{python_file: a.py}]\n", "[1]", "load_from: {python_file: a.py}\n", "a: ["])
def test_a_workspace_in_another_form_is_left_to_people(text):
    assert with_location(text, "sales") is None


FILES = {"models/a/visits.sql": "select 1", "products/visits/product.yaml": "x", "products/visits/README.md": "y"}
ENTRIES = ["models/a", "products/visits"]


@pytest.mark.parametrize("renames", range(3))
def test_what_a_killed_process_has_left_is_taken_back_by_the_next(tmp_path, renames):
    pid = os.fork()
    if not pid:
        _place_and_die(tmp_path, renames)
    assert os.waitpid(pid, 0)[1] == signal.SIGKILL
    assert not (tmp_path / "products/visits/product.yaml").exists()
    place(tmp_path, {**FILES, "models/a/visits.sql": "select 2"}, ENTRIES)
    assert texts(tmp_path) == {**{path: text.encode() for path, text in FILES.items()}, "models/a/visits.sql": b"select 2"}
    assert list((tmp_path / placing.STAGING).iterdir()) == []


def _place_and_die(root: Path, renames: int) -> None:
    """The process ends as by kill -9 when it has renamed so often; it never returns."""
    left = iter(range(renames))
    real = os.rename, os.replace

    def counted(which):
        def move(source, target):
            if next(left, None) is None:
                os.kill(os.getpid(), signal.SIGKILL)
            which(source, target)

        return move

    os.rename, os.replace = map(counted, real)
    place(root, FILES, ENTRIES)
    sys.exit("it was not killed")


def test_what_somebody_went_on_with_after_a_kill_is_left_alone(tmp_path):
    pid = os.fork()
    if not pid:
        _place_and_die(tmp_path, 2)
    os.waitpid(pid, 0)
    (tmp_path / "products/visits").mkdir(parents=True)
    (tmp_path / "products/visits/product.yaml").write_text("mine")
    with pytest.raises(InTheWay):
        place(tmp_path, FILES, ENTRIES)
    assert texts(tmp_path) == {"models/a/visits.sql": b"select 1", "products/visits/product.yaml": b"mine"}
