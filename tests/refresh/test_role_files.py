"""The folders that roles read: they hold what a role sees and nothing else, and others than the role's group cannot enter them."""

import grp
import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from platform_resources.access.grants import KnownGrants
from platform_resources.access.role_folders import folder_name
from platform_resources.dbt.planning import read_plan
from platform_resources.publications.published_versions import Shelf
from platform_resources.refresh.views import role_files
from platform_resources.refresh.views.folder_modes import ROLE_GROUP
from platform_resources.refresh.views.mask_keys import new_key
from platform_resources.services.access.access_plan import access_plan, apply_access
from tests.meshes import copied_mesh, edited, product_file
from tests.refresh.test_published_views import AGREEMENT, CANARIES, NOW, mesh_of, published

SEEN = {"analyst-region-EU": set(), "crm": {"email"}}
GROUP = grp.getgrnam("users")
NOBODY = 65534
FILE = product_file("crm", "customers")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = mesh_of(tmp_path_factory.mktemp("made"), AGREEMENT, ("format: parquet", "format: csv"))
    edited(
        root, FILE, "interface: file\n        data_set: customers\n        format: parquet", "interface: sql\n        data_set: customers"
    )
    new_key(root)
    published(root)
    assert apply(root) == ()
    return root


@pytest.fixture
def root(made, tmp_path):
    """A copy whose links are links again, since copying makes files of them."""
    found = copied_mesh(made, tmp_path / "mesh")
    shutil.rmtree(roles(found))
    assert apply(found) == ()
    return found


def roles(root):
    return root / "ports/crm/customers/by-role"


def plan_of(root):
    return access_plan(root, read_plan(root)[0], KnownGrants(), NOW)


def apply(root):
    return apply_access(root, read_plan(root)[0], KnownGrants(), NOW)


def there(root):
    return {folder.name: {file.name for file in folder.iterdir()} for folder in roles(root).iterdir()}


def told_in(folder):
    text = b"".join(file.read_bytes() for file in folder.iterdir())
    return {column for column, canary in CANARIES.items() if canary.encode() in text}


def test_each_role_that_somebody_has_gets_a_folder_with_its_view_and_nothing_else(root):
    assert {name: told_in(roles(root) / name) for name in there(root)} == SEEN


def test_the_catalog_of_a_role_answers_without_the_rest_of_the_mesh(root):
    with duckdb.connect(str(roles(root) / "analyst-region-EU/customers.duckdb"), read_only=True) as catalog:
        assert catalog.execute("select * from customers").fetchall() == [(1, "EU", "***")]
        text = str(catalog.execute("select sql from duckdb_views()").fetchall())
    assert "by-role/analyst-region-EU" in text and "/port_0/" not in text


def test_the_manifest_of_a_role_names_files_that_are_there(root):
    manifest = json.loads((roles(root) / "crm/latest.json").read_text())
    assert [port["columns"].keys() for port in manifest["ports"]] == [{"id": None, "region": None, "email": None}.keys()] * 2
    assert all((roles(root) / "crm" / file).is_file() for port in manifest["ports"] for file in port["files"])


def test_after_apply_the_plan_is_empty_and_a_second_time_changes_nothing(root):
    assert plan_of(root).changes == ()
    before = {file: file.lstat().st_mtime_ns for file in roles(root).rglob("*")}
    assert apply(root) == ()
    assert {file: file.lstat().st_mtime_ns for file in roles(root).rglob("*")} == before


def test_a_grant_that_ends_is_revoked_and_published_files_stay(root):
    edited(root, FILE, "to: ana, purpose: Tests.", "to: ana, until: 2026-11-01, purpose: Tests.")
    whole = sorted(file for file in root.glob("ports/crm/customers/port_*/**/*") if file.is_file())
    (change,) = plan_of(root).changes
    assert (change.act, change.place) == ("revoke", "ports/crm/customers/by-role/analyst-region-EU")
    assert change.why == "grant customers/internal_use/1 is expired since 2026-11-01"
    assert apply(root) == () and set(there(root)) == {"crm"} and plan_of(root).changes == ()
    assert sorted(file for file in root.glob("ports/crm/customers/port_*/**/*") if file.is_file()) == whole


def test_a_role_that_sees_less_loses_its_old_files_before_the_next_refresh(root):
    edited(root, FILE, "{role: crm, sees: [public, internal, personal]}", "{role: crm, sees: [public, internal]}")
    (change,) = plan_of(root).changes
    assert (change.act, change.place.rpartition("/")[2]) == ("revoke", "crm")
    assert apply(root) == () and set(there(root)) == {"analyst-region-EU"}
    published(root, NOW + timedelta(hours=1))
    assert [change.act for change in plan_of(root).changes][-1] == "create"
    assert apply(root) == () and told_in(roles(root) / "crm") == set()
    assert plan_of(root).changes == ()


def test_a_new_version_is_given_whole_and_the_one_before_stays_readable_while_it_is_kept(root):
    before = there(root)["crm"]
    with duckdb.connect(str(roles(root) / "crm/customers.duckdb"), read_only=True) as catalog:
        published(root, NOW + timedelta(minutes=5))
        assert apply(root) == ()
        assert len(catalog.execute("select * from customers").fetchall()) == 3
    assert before < there(root)["crm"]


@pytest.mark.parametrize("step", ["link", "write_catalog", "replace_json", "set_mode"])
def test_what_was_killed_is_finished_and_nobody_could_read_half_of_it(root, monkeypatch, step):
    class Killed(BaseException):
        pass

    def kill(*_):
        raise Killed

    shutil.rmtree(roles(root) / "crm")
    with monkeypatch.context() as patch:
        patch.setenv(ROLE_GROUP.name, "")
        target = {"link": (role_files.os, "link"), "write_catalog": (type(role_files.warehouse()), "write_catalog")}
        patch.setattr(*target.get(step, (role_files, step)), kill)
        with pytest.raises(Killed):
            apply(root)
    assert (roles(root) / "crm").stat().st_mode & 0o077 == 0
    assert told_in(roles(root) / "crm") <= SEEN["crm"]
    assert apply(root) == () and plan_of(root).changes == ()


@pytest.mark.parametrize("of", ["file", "folder", "link"])
def test_what_somebody_put_in_the_folder_of_a_role_is_taken_away(root, of):
    whole = next(root.glob("ports/crm/customers/port_0/v*/*/customers.parquet"))
    added = roles(root) / "crm/whole.parquet"
    if of == "file":
        shutil.copy(whole, added)
    elif of == "link":
        added.symlink_to(whole)
    else:
        added.mkdir()
    assert [change.why for change in plan_of(root).changes] == ["whole.parquet: not of what the role sees now"]
    assert apply(root) == () and not os.path.lexists(added) and whole.is_file()


def test_a_link_in_the_place_of_the_folder_is_followed_by_nothing(root, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").write_text("mine")
    shutil.rmtree(roles(root))
    roles(root).symlink_to(elsewhere)
    (problem,) = apply(root)
    assert "by-role is a link; take it away" in problem
    assert (elsewhere / "precious").read_text() == "mine"


def test_values_of_attributes_are_no_part_of_a_path():
    assert folder_name("analyst", (("region", "EU"),)) == "analyst-region-EU"
    for value in ("../../x", "a/b", "", "EU-x", "é"):
        assert folder_name("analyst", (("region", value),)).startswith("analyst--")


# As another user


@pytest.fixture
def shared(made, monkeypatch):
    """Where another user can come at all: folders of tests are their owner's alone."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o755)
    root = copied_mesh(made, folder / "mesh")
    (folder / "mesh").chmod(0o755)
    monkeypatch.setenv(ROLE_GROUP.name, "mesh-{product}-{role}")
    monkeypatch.setattr("platform_resources.refresh.views.folder_modes.grp.getgrnam", {"mesh-customers-crm": GROUP}.__getitem__)
    shutil.rmtree(roles(root))
    yield root
    shutil.rmtree(folder)


def can_read(path, *groups):
    done = subprocess.run(["cat", str(path)], user=NOBODY, group=NOBODY, extra_groups=groups, capture_output=True)
    return done.returncode == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_user_reads_what_the_group_of_the_role_reads_and_guesses_nothing_else(shared):
    problems = apply(shared)
    assert problems == (
        "customers: there is no Unix group mesh-customers-analyst-region-EU, whose members read as role analyst-region-EU of customers; "
        "groupadd mesh-customers-analyst-region-EU",
    )
    edited(shared, FILE, "to: ana, purpose: Tests.", "to: ana, until: 2026-11-01, purpose: Tests.")
    assert apply(shared) == () and plan_of(shared).changes == ()
    files = [file for file in shared.rglob("*") if file.is_file() and file.is_relative_to(shared / "ports")]
    crm = {file for file in files if file.parent == roles(shared) / "crm"}
    assert {file for file in files if can_read(file, GROUP.gr_gid)} == crm
    assert not any(can_read(file) for file in files)
    (shared / ".mesh/ledger.sqlite").write_text("as open as files are by themselves")
    assert not can_read(shared / ".mesh/mask.key", GROUP.gr_gid) and not can_read(shared / ".mesh/ledger.sqlite", GROUP.gr_gid)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_what_a_later_version_publishes_is_as_closed_as_what_was_there(shared):
    edited(shared, FILE, "to: ana, purpose: Tests.", "to: ana, until: 2026-11-01, purpose: Tests.")
    apply(shared)
    published(shared, NOW + timedelta(hours=1))
    assert {change.act for change in plan_of(shared).changes} == {"change"}
    assert not any(can_read(file, GROUP.gr_gid) for file in shared.glob("ports/crm/customers/*.*"))


def test_what_is_new_beneath_closed_folders_is_closed_from_its_first_moment_on(root):
    def modes(*names):
        return [oct((place / name).stat().st_mode & 0o777) for name in names]

    place = root / "ports/crm/customers"
    os.chmod(root / "ports", 0o711)
    shutil.rmtree(place / "port_0")
    published(root, NOW + timedelta(hours=1))
    Shelf(place).begin("next")
    assert modes("port_0", ".staging") == ["0o700", "0o700"]
    shutil.rmtree(place)
    published(root, NOW + timedelta(hours=2))
    assert modes(".") == ["0o700"]


def test_a_template_that_would_give_two_roles_one_group_is_refused(root, monkeypatch):
    monkeypatch.setenv(ROLE_GROUP.name, "mesh-readers")
    (problem,) = plan_of(root).problems
    assert "it needs {product} and {role}, so that no two roles share a group" in problem


def test_a_product_that_left_the_mesh_gives_nothing_any_more(root):
    plan, _ = read_plan(root)
    without = replace(plan, products=())
    assert {change.why for change in access_plan(root, without, KnownGrants(), NOW).changes if change.act == "revoke"} == {
        "the mesh has no product customers any more"
    }
    assert apply_access(root, without, KnownGrants(), NOW) == () and there(root) == {}
