"""A refresh as people run it: `mesh` in a process of its own, its words, its JSON and its exit codes; from a shell where all goes well and where nothing can be run."""

import json

import pytest

from tests.meshes import copied_mesh, edited, model_file, product_file, tiny_mesh
from tests.refresh.running import CSV, batch, deliver, leftovers, mesh, mesh_from_a_shell, mesh_json, readings_csv

pytestmark = pytest.mark.slow
SENSORS = model_file("office", "summary", "sensors")


@pytest.fixture(scope="module")
def refreshed_once(tmp_path_factory):
    """A mesh that was refreshed by `mesh refresh --all`; tests only read it."""
    root = tiny_mesh(tmp_path_factory.mktemp("meshes") / 'a mesh with "quotes", it\'s true')
    done = mesh_from_a_shell(root, "refresh", "--all")
    assert done.returncode == 0, done.stderr
    return root


@pytest.fixture
def refreshed(refreshed_once, tmp_path):
    return copied_mesh(refreshed_once, tmp_path / "mesh")


def test_a_refreshed_mesh_is_healthy_in_a_folder_of_any_name(refreshed_once):
    health = mesh_json(refreshed_once, "status")
    assert {each["product"]: each["status"] for each in health} == {"readings": "healthy", "summary": "healthy"}
    assert leftovers(refreshed_once) == []


def test_versions_say_what_they_were_made_from_and_who_reads_them(refreshed_once):
    (readings,) = mesh_json(refreshed_once, "versions", "readings")
    (summary,) = mesh_json(refreshed_once, "versions", "summary")
    assert summary["inputs"]["measurements"]["version"] == readings["id"]
    assert readings["pinned_by"] == ["summary.measurements"]
    assert [len(readings["inputs"][port]["files"]) for port in readings["inputs"]] == [1]


def test_a_query_gives_rows_as_json(refreshed_once):
    assert mesh_json(refreshed_once, "query", "summary", "select * from sensors order by sensor") == [
        {"sensor": "north", "readings": 2, "warmest": "21.25"},
        {"sensor": "south", "readings": 2, "warmest": "19.00"},
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("query", "summary", "select * from nowhere"), 3, "nowhere is nothing that a consumer may read"),
        (("query", "summary", "drop table sensors"), 3, "write one SELECT"),
        (("query", "sumary", "select 1"), 3, 'did you mean "summary"?'),
        (("refresh", "nothing_like_it"), 3, 'no product "nothing_like_it"; known: readings, summary'),
        (("refresh",), 3, "say what to refresh"),
        (("refresh", "readings", "--as-of", "soon"), 3, '--as-of is "soon"; write a day such as 2026-01-31'),
        (("refresh", "readings", "--replay", "deliveries=5"), 3, "write INPUT=CURSOR; inputs that keep a cursor: none"),
        (("refresh", "--all", "--replay", "deliveries=5"), 3, "--replay is of one product's inputs; name that product alone"),
        (("versions", "sumary"), 3, 'did you mean "summary"?'),
    ],
)
def test_a_mistake_gives_a_message_and_no_traceback(refreshed_once, arguments, code, told):
    done = mesh(refreshed_once, *arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_query_says_nothing_but_its_rows(refreshed_once):
    """From a shell, as how a process ends is part of it: DuckDB's module would tell of its own objects then."""
    done = mesh_from_a_shell(refreshed_once, "query", "summary", "from sensors select count(*) as sensors", "--csv")
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, ["sensors", "2"], "")


def test_a_folder_that_is_no_mesh_cannot_be_refreshed(tmp_path):
    done = mesh_from_a_shell(tmp_path, "refresh", "--all")
    assert done.returncode == 3
    assert "is no mesh: it has no folder dataproducts/" in done.stderr


def test_a_product_never_refreshed_has_nothing_to_query(tiny):
    done = mesh(tiny, "query", "readings", "select 1")
    assert done.returncode == 3
    assert "`mesh refresh readings` makes one" in done.stderr
    assert mesh_json(tiny, "versions", "readings") == []
    assert mesh(tiny, "status").returncode == 1


def test_a_broken_spec_stops_its_product_alone_with_exit_code_2(refreshed):
    edited(refreshed, product_file("plant", "readings"), "dimension: freshness", "dimension: freshnes")
    done = mesh(refreshed, "refresh", "readings")
    assert done.returncode == 2
    assert 'did you mean "freshness"?' in done.stderr
    assert 'product "readings" is not loaded' in done.stderr


def test_a_refresh_prints_json_and_nothing_else_also_when_it_fails(refreshed):
    edited(refreshed, SENSORS, "max(degrees)", "max(degreees)")
    done = mesh(refreshed, "refresh", "summary", "--json")
    (outcome,) = json.loads(done.stdout)
    assert (done.returncode, outcome["outcome"], outcome["version"]) == (3, "failed", None)
    assert 'Referenced column "degreees" not found' in outcome["reasons"][0]
    assert "Traceback" not in done.stderr


def test_a_closed_gate_has_exit_code_1_and_names_the_objective(refreshed):
    deliver(refreshed, readings_csv([(1, "north", 1), (2, "south", 2), (3, "south", 3)]))
    done = mesh(refreshed, "refresh", "readings")
    assert done.returncode == 1
    assert "gate closed" in done.stderr and "Readings are never deleted: 3 rows" in done.stderr
    (health,) = [each for each in mesh_json(refreshed, "status") if each["product"] == "readings"]
    assert health["status"] == "unhealthy"
    assert mesh_json(refreshed, "query", "readings", "select count(*) as n from measurements") == [{"n": 4}]


def test_a_failing_dbt_test_leaves_json_alone_on_standard_output(refreshed):
    deliver(refreshed, readings_csv([(1, "north", 1), (1, "south", 2), (3, "south", 3), (4, "south", 3)]))
    done = mesh(refreshed, "refresh", "readings", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)[0]["outcome"] == "gate closed"


# --stale


def stale(root):
    """What `mesh refresh --stale` refreshed."""
    done = mesh(root, "refresh", "--stale", "--json")
    assert done.returncode == 0, done.stderr
    return [each["product"] for each in json.loads(done.stdout)]


def test_nothing_is_stale_after_a_refresh(refreshed):
    assert stale(refreshed) == []
    assert "nothing to refresh" in mesh(refreshed, "refresh", "--stale").stderr


def test_a_change_of_sql_makes_its_product_stale(refreshed):
    edited(refreshed, SENSORS, "select\n", "-- changed\nselect\n")
    assert stale(refreshed) == ["summary"]
    assert stale(refreshed) == []


def test_a_change_upstream_makes_what_is_behind_it_stale(refreshed):
    edited(refreshed, model_file("plant", "readings", "measurements"), "select\n", "-- changed\nselect\n")
    assert stale(refreshed) == ["readings", "summary"]
    assert stale(refreshed) == []


def test_a_new_version_upstream_makes_its_consumer_stale(refreshed):
    deliver(refreshed, batch(1, 9))
    assert mesh(refreshed, "refresh", "readings").returncode == 0
    assert stale(refreshed) == ["summary"]


def test_a_changed_file_makes_its_product_and_what_is_behind_it_stale(refreshed):
    deliver(refreshed, batch(1, 9))
    assert stale(refreshed) == ["readings", "summary"]
    assert stale(refreshed) == []


def test_a_file_that_does_not_come_has_exit_code_0_and_a_warning(refreshed):
    (refreshed / CSV).unlink()
    done = mesh(refreshed, "refresh", "readings")
    assert done.returncode == 0
    assert "unchanged" in done.stderr and "no file matches landing/readings.csv" in done.stderr


COUNTING = """
from platform_resources import Extracted

def counted(extraction):
    n = int(extraction.cursor or 0) + 1
    rows = f"select reading_id + {n} as reading_id, * exclude (reading_id) from read_csv('{extraction.folder}/landing/readings.csv')"
    return Extracted(extraction.connection.sql(rows), n)
"""


def test_an_input_is_read_again_from_the_cursor_that_is_asked_for(tmp_path):
    root = tiny_mesh(tmp_path / "mesh")
    edited(
        root,
        product_file("plant", "readings"),
        "interface: file\n        path: landing/readings.csv",
        "interface: python\n        extractor: extract:counted",
    )
    (root / "dataproducts/plant/readings/extract.py").write_text(COUNTING)
    for asked in ((), (), ("--replay", "deliveries=0")):
        done = mesh(root, "refresh", "readings", *asked)
        assert done.returncode == 0, done.stderr
    assert [version["inputs"]["deliveries"]["cursor"] for version in mesh_json(root, "versions", "readings")] == [1, 2, 1]
