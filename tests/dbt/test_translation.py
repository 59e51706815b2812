"""What Dagster's pages show of dbt's nodes: as dagster-dbt gives it of the same manifest, or as the mesh's own translator says."""

import dagster as dg
import pytest
from dagster_dbt import DagsterDbtTranslator, build_dbt_asset_specs

from platform_resources.dbt.build import parse
from platform_resources.dbt.planning import read_plan
from platform_resources.dbt.translation import translated
from platform_resources.orchestration.definitions import definitions
from platform_resources.repository.product_secrets import mask_of
from tests.meshes import edited, model_file, tiny_mesh

pytestmark = pytest.mark.slow
TRANSLATOR = "dbt_project/translator.py"
YAML = """\
version: 2
groups: [{name: finance, owner: {name: Finance, email: finance@example.com}}]
models:
  - name: sensor_readings
    description: Readings with a temperature.
    config: {group: finance, tags: [nightly], meta: {tier: 1, dagster: {owners: ["team:core"]}}}
    columns:
      - {name: sensor, description: Which sensor., data_type: varchar, tags: [pii], data_tests: [not_null]}
      - {name: degrees, description: How warm., data_tests: [{not_null: {config: {severity: warn}}}]}
  - {name: cold_readings, config: {group: finance, tags: ["every night"]}}
"""
FILES = {
    model_file("office", "summary", "cold_readings"): "select * from {{ ref('sensor_readings') }} where degrees < 20",
    "dbt_project/models/office/summary/own.yml": YAML,
    "dbt_project/seeds/office/summary/sites.csv": "site,city\n1,Bern\n",
    "dbt_project/tests/office/summary/few.sql": "select * from {{ ref('sensor_readings') }} where degrees > 1000",
}
# What dagster-dbt gives and a mesh does not: objects of Python that only its own functions read, and a digest of the project's name.
ONLY_THEIRS = {"dagster_dbt/manifest", "dagster_dbt/dagster_dbt_translator", "dagster_dbt/project_id"}
# What a mesh gives beside it. dagster-dbt has the SQL in the description.
ONLY_OURS = {"raw_sql", "dagster/code_references", "dbt_meta", "dbt_group"}


@pytest.fixture(scope="module")
def mesh(tmp_path_factory):
    root = tiny_mesh(tmp_path_factory.mktemp("translated") / "mesh")
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return edited(root, "dbt_project/dbt_project.yml", "seed-paths: []", "seed-paths: [seeds]")


@pytest.fixture(scope="module")
def plan(mesh):
    plan, problems = read_plan(mesh)
    assert problems == ()
    return plan


@pytest.fixture(scope="module")
def manifest(mesh, plan):
    """dbt's manifest of the product."""
    product = plan.product("summary")
    return parse(mesh, mesh, product, "duckdb", mask_of(mesh, product))[0]


@pytest.fixture(scope="module")
def theirs(manifest):
    """dagster-dbt's own specs of the product, by name, and its checks."""
    written = manifest.writable_manifest().to_dict(omit_none=False)
    specs = {spec.key.path[-1]: spec for spec in build_dbt_asset_specs(manifest=written)}
    tests = [uid for uid in written["nodes"] if uid.startswith("test.")]
    translator = DagsterDbtTranslator()
    asked = (translator.get_asset_check_spec(spec, written, uid, None) for spec in specs.values() for uid in tests)
    return specs, [check for check in asked if check is not None]


def build_of(root, plan) -> dg.AssetsDefinition:
    graph = definitions(root, plan).resolve_asset_graph()
    return graph.get(dg.AssetKey(["summary", "sensors"])).assets_def


@pytest.fixture(scope="module")
def ours(mesh, plan):
    """The platform's specs of the same, and its checks."""
    build = build_of(mesh, plan)
    return {spec.key.path[-1]: spec for spec in build.specs}, list(build.check_specs)


def plain(value):
    return getattr(value, "value", value)


def test_there_is_an_asset_of_each_node(theirs, ours):
    assert theirs[0].keys() == ours[0].keys() == {"sensor_readings", "cold_readings", "sensors", "sites"}


@pytest.mark.parametrize("name", ["sensor_readings", "cold_readings", "sites"])
def test_an_internal_node_is_shown_as_dagster_dbt_shows_it(theirs, ours, name):
    their, our = theirs[0][name], ours[0][name]
    assert their.kinds == our.kinds - {"seed"} == {"dbt", "duckdb"}
    assert list(our.owners) == (list(their.owners) or ["office-lead@example.com", "team:office-data"])
    assert their.tags.items() <= our.tags.items()
    assert {dep.asset_key.path[-1] for dep in their.deps} == {dep.asset_key.path[-1] for dep in our.deps}
    assert their.metadata.keys() - our.metadata.keys() == ONLY_THEIRS
    assert our.metadata.keys() - their.metadata.keys() <= ONLY_OURS
    shown = {key: plain(our.metadata[key]) for key in their.metadata.keys() & our.metadata.keys()}
    assert shown == {key: their.metadata[key] for key in shown}
    words, _, sql = their.description.partition("\n\n#### Raw SQL:\n")
    assert our.description.rstrip(".") == words.rstrip(".")
    assert "raw_sql" not in our.metadata or "".join(plain(our.metadata["raw_sql"]).split()) == "".join(sql.split())


def test_what_is_meant_to_differ(theirs, ours):
    """Keys and groups are those of products; a digest that knows macros and settings is the code's version."""
    their, our = theirs[0]["sensor_readings"], ours[0]["sensor_readings"]
    assert (their.key.path, our.key.path) == (["internal", "sensor_readings"], ["summary", "sensor_readings"])
    assert (their.group_name, our.group_name, our.metadata["dbt_group"]) == ("finance", "office/summary", "finance")
    assert our.metadata["dbt_meta"].value == {"tier": 1}
    assert their.code_version != our.code_version
    assert set(theirs[0]["cold_readings"].tags) < set(ours[0]["cold_readings"].tags) > {"every_night"}


def test_columns_owners_and_sql_are_there(ours):
    """That the two agree is no proof that they show anything."""
    shown = ours[0]["sensor_readings"]
    columns = shown.metadata["dagster/column_schema"].columns
    told = [(column.name, column.type, column.description, dict(column.tags)) for column in columns]
    assert told == [("sensor", "varchar", "Which sensor.", {"pii": ""}), ("degrees", "?", "How warm.", {})]
    assert (shown.owners, ours[0]["cold_readings"].owners) == (["team:core"], ["finance@example.com"])
    assert shown.metadata["dagster-dbt/materialization_type"] == "view"
    assert shown.metadata["dagster/table_name"] == "summary.internal.sensor_readings"


def test_checks_are_those_of_dagster_dbt(theirs, ours):
    """But for descriptions, where dagster-dbt has none, and for dependencies on what the same step builds."""
    their = {(check.name, check.asset_key.path[-1], check.blocking, check.metadata["dagster_dbt/unique_id"]) for check in theirs[1]}
    our = {(check.name, check.asset_key.path[-1], check.blocking, check.metadata["dagster_dbt/unique_id"]) for check in ours[1]}
    assert our == their
    assert {check.name for check in ours[1]} >= {"not_null_sensor_readings_sensor", "few"}


OWN = """\
import dagster as dg
from dagster_dbt import DagsterDbtTranslator


class Translator(DagsterDbtTranslator):
    def get_description(self, dbt_resource_props):
        return "Described by the mesh."

    def get_group_name(self, dbt_resource_props):
        return "chosen"

    def get_owners(self, dbt_resource_props):
        return ["team:translators"]

    def get_tags(self, dbt_resource_props):
        return {"layer": "silver"}

    def get_metadata(self, dbt_resource_props):
        return {"dashboard": dg.MetadataValue.url("https://example.com/" + dbt_resource_props["name"])}

    def get_asset_check_spec(self, asset_spec, manifest, unique_id, project):
        spec = super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
        return spec._replace(description="Asked by the mesh.") if spec else None
"""


@pytest.fixture
def translator(mesh):
    """The file of the mesh's own translator, which is gone afterwards."""
    file = mesh / TRANSLATOR
    yield file
    file.unlink(missing_ok=True)


def test_a_mesh_has_a_translator_of_its_own(mesh, translator):
    translator.write_text(OWN)
    plan, problems = read_plan(mesh)
    assert problems == ()
    build = build_of(mesh, plan)
    spec = next(spec for spec in build.specs if spec.key.path[-1] == "sensor_readings")
    assert (spec.description, spec.group_name, spec.owners) == ("Described by the mesh.", "chosen", ["team:translators"])
    assert (spec.tags["layer"], spec.tags["product"]) == ("silver", "summary")
    assert spec.metadata["dashboard"].value == "https://example.com/sensor_readings"
    check = next(check for check in build.check_specs if check.name == "few")
    assert check.description == "Asked by the mesh."
    translator.write_text(OWN.replace("silver", "gold"))
    again = build_of(mesh, read_plan(mesh)[0])
    assert {spec.tags["layer"] for spec in again.specs} == {"gold"}


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("class Translator(\n", 1, "SyntaxError: '(' was never closed"),
        ("import dagster_dbt\nfrom nowhere_at_all import x\n", 2, "ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("x = 1\n", 1, "AttributeError: module 'mesh_translator' has no attribute 'Translator'"),
        ("class Translator: ...\n", 1, "Translator is not a DagsterDbtTranslator"),
        (OWN.replace('dbt_resource_props["name"]', 'dbt_resource_props["nme"]'), 19, "dagster-dbt's translator fails: KeyError: 'nme'"),
        (
            OWN.replace('["team:translators"]', '["nobody"]'),
            1,
            "Invalid owner 'nobody' for asset 'AssetKey(['summary', ",
        ),
        (OWN.replace("def get_tags", "def get_asset_key"), 15, "get_asset_key is not asked: a model's key is <product>/<model>"),
    ],
    ids=["syntax", "import", "no class", "another class", "a method", "what it says", "a key"],
)
def test_what_is_wrong_with_a_translator_is_told_with_its_line_and_stops_no_product(mesh, plan, manifest, translator, text, line, told):
    translator.write_text(text)
    _, problems = translated(mesh, plan.product("summary"), manifest)
    assert {(problem.line, problem.severity) for problem in problems} == {(line, "warning")}, problems
    assert told in problems[0].message


def test_what_dagster_refuses_of_dbts_yaml_is_told_and_stops_no_product(mesh):
    file = mesh / "dbt_project/models/office/summary/own.yml"
    file.write_text(YAML.replace("team:core", "core"))
    plan, problems = read_plan(mesh)
    file.write_text(YAML)
    assert {product.name for product in plan.products} == {"readings", "summary"}
    assert [problem.severity for problem in problems] == ["warning"]
    assert problems[0].file == "dbt_project/models/office/summary/own.yml"
    assert "Invalid owner 'core' for asset 'AssetKey(['summary', 'sensor_readings'])'" in problems[0].message
