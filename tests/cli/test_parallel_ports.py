"""Two majors of a port live side by side: both are published, read and judged, until the older one ends."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from platform_resources.cli.terminal.console import CANNOT_RUN, FINE, MISSED, SPEC_INVALID
from platform_resources.ledger.database import ledger_url, open_ledger
from platform_resources.ledger.queries.reads import record_read
from tests.cli.conftest import PublishedMesh, git
from tests.meshes import component, edited, indented, model_file, product_file

FILE, SUMMARY = product_file("plant", "readings"), product_file("office", "summary")
NEXT_YEAR = (datetime.now(UTC) + timedelta(days=300)).date()
NEWER = (
    component(
        "measurements_v2",
        "data-set",
        """
description: One row per reading of a sensor, with its temperature in kelvin.
primary_key: [reading_id]
updated_at: processed_at
columns:
  - {name: reading_id, type: bigint, classification: public, description: Number of the reading.}
  - {name: kelvin, type: double, nullable: true, unit: K, classification: internal, description: Temperature.}
  - {name: operator, type: varchar, nullable: true, classification: personal, description: Who was on duty.}
  - {name: processed_at, type: timestamptz, classification: internal, description: When this row was computed.}
""",
    ),
    component("measurements_v2_sql", "output-port", "interface: sql\ndata_set: measurements_v2"),
    component("Newer ones daily", "service-level-asset", "dimension: freshness\ndata_set: measurements_v2\nmax_age: 48h"),
    component("One of each", "service-level-asset", "dimension: uniqueness\ndata_set: measurements_v2"),
    component(
        "Mostly measured", "service-level-asset", "dimension: completeness\ndata_set: measurements_v2\ncolumns: [kelvin]\nat_least: 60"
    ),
)
NEWER_SQL = """\
select reading_id, cast(degrees + 273.15 as double) as kelvin, operator, processed_at from {{ ref('measurements') }}
"""


def offered_beside(root):
    """Version 2.0.0 has the newer port; the older ones go on as 1.1.0."""
    file = root / FILE
    text = file.read_text(encoding="utf-8").rstrip("\n") + "\n"
    file.write_text(text + "".join(f"{indented(each, 4)}\n" for each in NEWER), encoding="utf-8")
    ends = f"version: 1.1.0\n        replacement: measurements_v2_sql\n        end_date: {NEXT_YEAR}"
    edited(
        root, FILE, "interface: sql\n        data_set: measurements\n", f"interface: sql\n        data_set: measurements\n        {ends}\n"
    )
    edited(
        root,
        FILE,
        "format: parquet\n        data_set: measurements\n",
        f"format: parquet\n        data_set: measurements\n        {ends}\n",
    )
    edited(root, FILE, "        version: 1.1.0\n        archetype", "        version: 2.0.0\n        archetype")
    (root / model_file("plant", "readings", "measurements_v2")).write_text(NEWER_SQL, encoding="utf-8")


@pytest.fixture
def mesh(tagged):
    """The tiny mesh in git, tagged v1, with a newer port beside."""
    offered_beside(tagged)
    return PublishedMesh(tagged)


def run(mesh, *arguments):
    """The exit code, and what is said."""
    done = mesh.mesh(*arguments)
    return getattr(done.exception, "code", done.exit_code), done.output


def moved_away(mesh):
    """The only product that reads the older port reads the newer one."""
    edited(mesh.root, SUMMARY, "readings.measurements_sql", "readings.measurements_v2_sql")
    edited(mesh.root, SUMMARY, "version: ^1\n", "version: ^2\n")


def test_a_newer_major_beside_the_older_one_may_be_released(mesh):
    code, said = run(mesh, "release", "check", "--against", "v1")
    assert (code, "MAJOR" in said) == (FINE, False), said
    assert "measurements_v2_sql replaces output port measurements_sql" in said
    assert f"output port measurements_sql ends on {NEXT_YEAR}" in said


def test_the_older_major_keeps_its_promises_until_it_ends(mesh):
    git(mesh.root, "add", "dataproducts", "dbt_project/models")
    git(mesh.root, "commit", "-qm", "second")
    git(mesh.root, "tag", "-f", "v1")
    edited(mesh.root, FILE, "max_age: 26h", "max_age: 96h")
    code, said = run(mesh, "release", "check", "--against", "v1")
    assert code == MISSED and "what breaks concerns summary" in said


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("version: 1.1.0\n        replacement", "version: 2.0.0\n        replacement", "version 2.0.0 is no older major than 2.0.0"),
        ("replacement: measurements_v2_sql", "replacement: measurement_v2", 'no output port "measurement_v2"'),
        ("replacement: measurements_v2_sql", "replacement: measurements_sql", "it names itself"),
        ("classification: personal, description: Who was on duty.}\n          - {name: processed_at, type: timestamptz, classification: internal, "
         "description: When this row was computed.}\n    - name: measurements_v2_sql",
         "classification: internal, description: Who was on duty.}\n          - {name: processed_at, type: timestamptz, classification: internal, "
         "description: When this row was computed.}\n    - name: measurements_v2_sql",
         "role analyst would see operator of measurements_v2 in the clear, and does not see operator of measurements so"),
    ],
)  # fmt: skip
def test_what_does_not_hold_beside_an_older_major_is_told(mesh, old, new, said):
    edited(mesh.root, FILE, old, new)
    code, told = run(mesh, "validate")
    assert code == 2 and said in " ".join(told.split())


def test_a_port_of_an_older_major_is_at_a_version_of_its_own(mesh):
    edited(mesh.root, SUMMARY, "version: ^1\n", "version: ^2\n")
    code, said = run(mesh, "validate", "summary")
    assert code == SPEC_INVALID and 'no version of readings.measurements_sql satisfies "^2"; it is at 1.1.0' in " ".join(said.split())


def test_an_older_major_ends_when_nobody_reads_it_any_more(mesh):
    ledger = open_ledger(ledger_url(mesh.root, {}))
    with ledger.writing() as connection:
        record_read(connection, "readings", "measurements_sql", "ana@example.com", datetime.now(UTC) - timedelta(days=2), "query")
    ledger.close()
    code, said = run(mesh, "release", "end", "readings", "measurements_sql", "--write")
    assert code == MISSED and "still on it: product summary" in said and "still on it: reader ana@example.com" in said
    moved_away(mesh)
    assert (
        run(mesh, "release", "switched", "readings", "measurements_sql", "--consumer", "ana@example.com", "--by", "ana@example.com")[0]
        == FINE
    )
    assert run(mesh, "release", "switched", "readings", "measurements_v2_sql")[0] == CANNOT_RUN
    (ending, other) = json.loads(mesh.mesh("release", "ending", "--json").stdout)
    assert (ending["readers"], [each["consumer"] for each in ending["moved"]]) == ([], ["ana@example.com"])
    assert other["port"] == "measurements_file"
    git(mesh.root, "add", "dataproducts", "dbt_project/models")
    git(mesh.root, "commit", "-qm", "second")
    git(mesh.root, "tag", "v2")
    assert run(mesh, "release", "end", "readings", "measurements_sql", "--write")[0] == FINE
    code, said = run(mesh, "release", "end", "readings", "measurements_sql")
    assert code == CANNOT_RUN and "readings has no output port measurements_sql; it has: measurements_file, measurements_v2_sql" in said
    code, said = run(mesh, "release", "end", "readings", "measurements_file", "--write")
    assert code == FINE and "data-set measurements, " in said and "of model measurements nothing is promised any more" in said, said
    text = (mesh.root / FILE).read_text(encoding="utf-8")
    assert "name: measurements_v2_sql" in text and "Readings are never deleted" not in text
    edited(mesh.root, FILE, "        version: 2.0.0\n        archetype", "        version: 2.1.0\n        archetype")
    code, said = run(mesh, "release", "check", "readings", "--against", "v2")
    assert code == FINE, said
    assert "MINOR change." in said and "### MAJOR" not in said and "### ENDED: version 2.0.0 has said that it would" in said


def test_whoever_reads_the_older_major_again_has_not_moved(mesh):
    moved_away(mesh)
    run(mesh, "release", "switched", "readings", "measurements_sql", "--consumer", "ana@example.com")
    ledger = open_ledger(ledger_url(mesh.root, {}))
    with ledger.writing() as connection:
        record_read(connection, "readings", "measurements_sql", "ana@example.com", datetime.now(UTC), "query")
    ledger.close()
    (ending, _) = json.loads(mesh.mesh("release", "ending", "readings", "--json").stdout)
    assert [each["name"] for each in ending["readers"]] == ["ana@example.com"]


def test_an_end_date_that_has_come_ends_it_all_the_same(mesh):
    edited(mesh.root, FILE, f"end_date: {NEXT_YEAR}", "end_date: 2026-01-31")
    git(mesh.root, "add", "dataproducts", "dbt_project/models")
    git(mesh.root, "commit", "-qm", "second")
    git(mesh.root, "tag", "v2")
    assert "it kept its promises as version 1.1.0 until 2026-01-31" in mesh.mesh("release", "ending").output
    code, said = run(mesh, "release", "end", "readings", "measurements_sql", "--write")
    assert code == FINE and 'readings has no output port "measurements_sql"' in said and "these have not moved" in said
    edited(mesh.root, FILE, "        version: 2.0.0\n        archetype", "        version: 2.1.0\n        archetype")
    code, said = run(mesh, "release", "check", "readings", "--against", "v2")
    assert (code, "product **summary**" in said, "It may not be released" in said) == (SPEC_INVALID, True, False)
