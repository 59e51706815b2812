"""Text to copy that reads a port: each one is tried."""

import json
import shlex

import duckdb
import pytest
import yaml

from platform_resources.dbt.planning import read_plan
from platform_resources.publications.published_versions import shelf
from platform_resources.refresh.publishing import refresh_catalog
from platform_resources.services.catalog.access_snippets import snippets
from tests.cli.conftest import PublishedMesh, publish_readings
from tests.meshes import component, edited, model_file, product_file, product_yaml, tiny_mesh, write_mesh

pytestmark = pytest.mark.slow
FORMATS = "interface: file\nformat: {}\ndata_set: measurements"
OTHERS = "\n".join(component(f"in_{kind}", "output-port", FORMATS.format(kind)) for kind in ("csv", "json"))
ROWS = [(0, "north", 20.0), (1, "north", 20.0), (2, "north", 20.0)]


@pytest.fixture(scope="module")
def mesh(tmp_path_factory):
    """The tiny mesh in a folder with a quote in its name; `readings` has published one version, also as CSV and JSON."""
    root = tiny_mesh(tmp_path_factory.mktemp("mesh") / "what's new")
    indented = "\n".join(f"    {line}" for line in OTHERS.splitlines())
    edited(root, product_file("plant", "readings"), "    - name: Refreshed daily\n", f"{indented}\n    - name: Refreshed daily\n")
    publish_readings(root)
    product = read_plan(root)[0].product("readings")
    refresh_catalog(root, product, shelf(root, "plant", "readings").latest())
    return root


def text(mesh, port, kind, url=""):
    product = read_plan(mesh)[0].product("readings")
    (output,) = [each for each in product.outputs if each.name == port]
    return {each.kind: each.text for each in snippets(product, output, mesh, url)}.get(kind)


@pytest.mark.parametrize("port", ["measurements_sql", "measurements_file", "in_csv", "in_json"])
def test_the_python_reads_every_row(mesh, port, capsys):
    names = {}
    exec(text(mesh, port, "python"), names)
    rows = names["rows"].order("reading_id").project("reading_id, sensor, degrees").fetchall()
    assert [(number, sensor, float(degrees)) for number, sensor, degrees in rows] == ROWS
    assert "reading_id" in capsys.readouterr().out


@pytest.mark.parametrize("port", ["measurements_sql", "measurements_file", "in_csv", "in_json"])
def test_the_sql_of_duckdb_reads_every_row(mesh, port):
    with duckdb.connect() as connection:
        rows = connection.execute(text(mesh, port, "duckdb")).fetchall()
    assert sorted((number, sensor, float(degrees)) for number, sensor, degrees, *_ in rows) == ROWS


def test_the_mesh_command_reads_every_row(mesh):
    _, _, product, sql = shlex.split(text(mesh, "in_csv", "mesh"))
    assert product == "readings"
    assert len(json.loads(PublishedMesh(mesh).mesh("query", product, sql, "--json").stdout)) == 3


def test_another_product_that_takes_the_input_port_has_no_problem(mesh, tmp_path):
    port = text(mesh, "measurements_file", "input port")
    document = product_yaml(
        "taker",
        "office",
        port,
        component(
            "taken",
            "data-set",
            "description: Taken.\nprimary_key: [sensor]\ncolumns:\n  - {name: sensor, type: varchar, description: Which.}",
        ),
        component("taken_sql", "output-port", "interface: sql\ndata_set: taken"),
        title="Taker",
        description="Takes.",
        owners="{business: a@example.com, technical: team:b}",
    )
    taking = tiny_mesh(tmp_path)
    write_mesh(
        taking,
        {
            product_file("office", "taker"): document,
            model_file("office", "taker", "taken"): "select sensor from {{ source('taker', 'measurements') }}",
        },
    )
    plan, problems = read_plan(taking)
    assert [problem for problem in problems if problem.severity == "error"] == []
    (upstream,) = [each.upstream for each in plan.product("taker").inputs]
    assert (upstream.product, upstream.port, upstream.version) == ("readings", "measurements_file", "^1")


def test_a_dbt_project_builds_from_the_source(mesh, tmp_path):
    from dbt.cli.main import dbtRunner

    source = text(mesh, "measurements_sql", "dbt")
    attach = yaml.safe_load("\n".join(line.removeprefix("#   ") for line in source.splitlines() if line.startswith("#   ")))
    target = {"type": "duckdb", "path": str(tmp_path / "own.duckdb"), **attach}
    files = {
        "dbt_project.yml": "name: analysis\nprofile: analysis\nflags: {send_anonymous_usage_stats: false}\n",
        "profiles.yml": yaml.safe_dump({"analysis": {"target": "dev", "outputs": {"dev": target}}}),
        "models/sources.yml": source,
        "models/counted.sql": "select count(*) as n from {{ source('readings', 'measurements') }}",
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
    folder = str(tmp_path)
    done = dbtRunner().invoke(
        [
            "--quiet",
            "build",
            "--project-dir",
            folder,
            "--profiles-dir",
            folder,
            "--target-path",
            f"{folder}/target",
            "--log-path",
            f"{folder}/logs",
        ]
    )
    assert done.success, done.exception
    with duckdb.connect(str(tmp_path / "own.duckdb")) as connection:
        assert connection.execute("select n from counted").fetchall() == [(3,)]


def test_there_is_curl_where_there_is_an_address(mesh):
    assert text(mesh, "in_csv", "curl") is None
    command = shlex.split(text(mesh, "in_csv", "curl", "http://localhost:8000/"))
    assert command[-1] == "http://localhost:8000/api/v1/products/readings/ports/in_csv/file"
    assert command[command.index("-o") + 1] == "measurements.csv"


def test_only_a_port_of_the_catalog_has_a_dbt_source(mesh):
    assert text(mesh, "measurements_file", "dbt") is None
    assert text(mesh, "measurements_sql", "dbt")


def test_every_kind_of_text_is_one_that_the_tests_here_have_run(mesh):
    """curl is run against a server, where the marketplace is tested."""
    run = {"mesh", "python", "duckdb", "curl", "dbt", "input port"}
    product = read_plan(mesh)[0].product("readings")
    assert {each.kind for port in product.outputs for each in snippets(product, port, mesh, "http://localhost:8000/")} == run


def test_a_description_that_dbt_would_take_for_a_template_is_left_out(tmp_path):
    root = edited(tiny_mesh(tmp_path), product_file("plant", "readings"), "One row per reading of a sensor.", '"One {{ row }} each."')
    (table,) = yaml.safe_load(text(root, "measurements_sql", "dbt"))["sources"][0]["tables"]
    assert "description" not in table and table["columns"][0]["description"] == "Number of the reading."
