"""`mesh find-person`: the columns that say who, wherever they were passed on to, and the versions that have the value."""

import json
from datetime import timedelta

import pytest

from platform_resources.dbt.planning import read_plan
from platform_resources.lineage.mesh_lineage import MeshLineage
from platform_resources.services.access.person_places import identifying_columns
from tests.cli.conftest import NOW, publish_readings
from tests.incidents.test_explanations import made
from tests.meshes import edited, product_file

pytestmark = pytest.mark.slow
GOVERNANCE = "identifiers: [{name: sensor, type: varchar, format: '[a-z]+', product: readings, column: sensor}]\n"
SAYS_IT = "{name: sensor, type: varchar, identifier: sensor, classification: internal, description: Which sensor.}"


def test_a_column_that_values_are_passed_on_to_is_known_whatever_it_says(tiny):
    edited(tiny, product_file("office", "summary"), SAYS_IT, SAYS_IT.replace("identifier: sensor, ", ""))
    plan, _ = read_plan(tiny)

    def found(how):
        built = {"readings": made("measurements", "inputs/deliveries", "passed on"), "summary": made("sensors", "inputs/measurements", how)}
        return identifying_columns(plan, MeshLineage(plan, built), "sensor")

    own = {("readings", "measurements"): ("sensor",)}
    assert found("passed on") == own | {("summary", "sensors"): ("sensor",)}
    assert found("computed") == own


def test_every_kept_version_that_has_the_value_is_named_and_what_is_to_be_built_anew(published):
    (published.root / "dataproducts/governance.yaml").write_text(GOVERNANCE)
    publish_readings(published.root, NOW + timedelta(minutes=1))
    done = published.mesh("find-person", "sensor", "north")
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert [line.split()[:4] for line in lines if line.strip().startswith("readings")] == [
        ["readings", "measurements", "sensor", "20240601T120000.000000Z"],
        ["readings", "measurements", "sensor", "20240601T120100.000000Z"],
    ]
    assert "(served)" in lines[2] and lines[2].split()[-1] == "3"
    assert [line.split("#")[0].strip() for line in lines if "mesh refresh" in line] == ["mesh refresh readings", "mesh refresh summary"]
    assert json.loads(published.mesh("find-person", "sensor", "west", "--json").stdout) == {"found": [], "rebuild": []}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("sensr", "north"), 'no identifier "sensr"; known: sensor\ndid you mean "sensor"?'),
        (("sensor", "north' or '1' = '1"), "this is no sensor: its values look like [a-z]+"),
    ],
)
def test_what_is_no_value_of_an_identifier_is_refused(published, arguments, told):
    (published.root / "dataproducts/governance.yaml").write_text(GOVERNANCE)
    done = published.mesh("find-person", *arguments)
    assert done.exception.code == 3 and done.stderr.strip() == told
