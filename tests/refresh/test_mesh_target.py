"""MESH_TARGET reaches every step of a refresh, or is refused before one begins."""

import pytest

from platform_resources.dbt.planning import read_plan
from platform_resources.repository.dbt_target import target
from platform_resources.repository.mesh_repository import build_problems
from tests.refresh.running import running

PROFILES, PROJECT = "dbt_project/profiles.yml", "dbt_project/dbt_project.yml"
OUTPUTS = "outputs: {duckdb: {type: duckdb}, second: {type: duckdb}, cloud: {type: spark}, odd: {type: \"{{ env_var('T') }}\"}}"
NO_WAREHOUSE = "of type spark, for which refreshes have no warehouse; supported: duckdb, snowflake"


def texts(written: str = f"target: duckdb, {OUTPUTS}", profile: str = "mesh") -> dict[str, str]:
    return {PROFILES: f"mesh: {{{written}}}\n", PROJECT: f"name: mesh\nprofile: {profile}\n"}


@pytest.mark.parametrize(
    ("written", "chosen", "expected"),
    [
        (f"target: duckdb, {OUTPUTS}", "", ("duckdb", "duckdb")),
        (f"target: second, {OUTPUTS}", "", ("second", "duckdb")),
        (f"target: cloud, {OUTPUTS}", "second", ("second", "duckdb")),
        (f"target: \"{{{{ env_var('T') }}}}\", {OUTPUTS}", "", ("duckdb", "duckdb")),
        (OUTPUTS, " ", ("duckdb", "duckdb")),
        (OUTPUTS, "odd", ("odd", "")),
        ("target: second", "", ("second", "")),
    ],
)
def test_the_target_is_that_of_the_environment_or_of_the_profile(written, chosen, expected):
    found = target(texts(written), {"MESH_TARGET": chosen})
    assert ((found.name, found.kind), found.problem) == (expected, None)


@pytest.mark.parametrize(
    ("written", "chosen", "message"),
    [
        ("outputs: {cloud: {type: snowflake}}", "cloud", "target cloud is of type snowflake; the target of type snowflake, and no other,"),
        ("outputs: {snowflake: {type: duckdb}}", "snowflake", "target snowflake is of type duckdb; the target of type snowflake, and no"),
        ("target: snowflake, outputs: {snowflake: {type: snowflake}}", "", "the target is snowflake, which MESH_TARGET must choose"),
    ],
)
def test_every_process_knows_from_the_environment_that_data_is_in_snowflake(written, chosen, message):
    problem = target(texts(written), {"MESH_TARGET": chosen}).problem
    assert problem is not None and problem.message.startswith(message)
    assert target(texts("outputs: {snowflake: {type: snowflake}}"), {"MESH_TARGET": "snowflake"}).problem is None


@pytest.mark.parametrize(
    ("written", "chosen", "message", "hint"),
    [
        (OUTPUTS, "cloud", f"MESH_TARGET chooses target cloud {NO_WAREHOUSE}", "set MESH_TARGET to a target of a supported type"),
        (f"target: cloud, {OUTPUTS}", "", f"the target is cloud {NO_WAREHOUSE}", "set MESH_TARGET to a target of a supported type"),
        (
            OUTPUTS,
            "cluod",
            'MESH_TARGET is "cluod", and there is no such target; known: cloud, duckdb, odd, second',
            'did you mean "cloud"?',
        ),
    ],
)
def test_a_target_without_a_warehouse_is_refused(written, chosen, message, hint):
    problem = target(texts(written), {"MESH_TARGET": chosen}).problem
    assert problem is not None and (problem.file, problem.message, problem.hint) == (PROFILES, message, hint)


def test_the_profile_is_the_one_that_the_project_names():
    found = target(
        {PROFILES: "mesh: {outputs: {x: {type: duckdb}}}\nother: {outputs: {x: {type: spark}}}\n", PROJECT: "profile: other\n"},
        {"MESH_TARGET": "x"},
    )
    assert found.kind == "spark" and found.problem is not None


@pytest.fixture
def clouded(tiny):
    """A mesh with a second target of DuckDB, whose models say which it is, and one of an engine without a warehouse."""
    text = (tiny / PROFILES).read_text()
    block = text[text.index("    duckdb:\n") : text.index("    snowflake:\n")]
    more = block.replace("    duckdb:", "    second:").rstrip() + "\n    cloud:\n      type: spark\n      host: nowhere\n"
    (tiny / PROFILES).write_text(text.rstrip() + "\n" + more)
    return tiny


def test_validation_names_the_line_of_the_target(clouded, monkeypatch):
    monkeypatch.setenv("MESH_TARGET", "cloud")
    (problem,) = build_problems(clouded, read_plan(clouded)[0])
    assert NO_WAREHOUSE in problem.message
    assert "type: spark" in (clouded / PROFILES).read_text().splitlines()[problem.line - 1]


@pytest.mark.slow
def test_a_refresh_builds_in_the_target_that_is_chosen(clouded, monkeypatch):
    model = clouded / "dbt_project/models/plant/readings/measurements.sql"
    said = "{% if execute and target.name == 'second' %}{{ exceptions.raise_compiler_error('built in ' ~ target.name) }}{% endif %}"
    model.write_text(said + model.read_text())
    with running(clouded) as mesh:
        (done,) = mesh.refresh("readings")
        assert done.outcome == "published", done.reasons
        monkeypatch.setenv("MESH_TARGET", "second")
        (done,) = mesh.refresh("readings")
        assert done.outcome == "failed" and "built in second" in "\n".join(done.reasons)


@pytest.mark.slow
def test_a_run_that_nobody_validated_ends_at_its_first_step(clouded, monkeypatch):
    monkeypatch.setenv("MESH_TARGET", "cloud")
    with running(clouded) as mesh:
        (done,) = mesh.refresh("readings")
    assert done.outcome == "failed" and NO_WAREHOUSE in "\n".join(done.reasons)
