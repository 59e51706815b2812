"""Each change of a product's document has its class from the consumer's view; laws that hold of all of them."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_resources.contracts.change import CLASSES, PROFILES, next_version, within, worst_class
from platform_resources.contracts.contract import (
    CLEAR,
    Contract,
    ContractAgreement,
    ContractColumn,
    ContractDataSet,
    ContractPort,
    ContractPromise,
    ContractUnreadable,
    contract_from,
    contract_text,
)
from platform_resources.contracts.release import contract_changes
from platform_resources.contracts.structure_changes import is_wider
from platform_resources.lineage.product_lineage import ProductLineage
from platform_resources.plan.plan import MeshPlan
from platform_resources.services.releases.contract_sources import MeshContracts, contracts_in
from platform_resources.services.releases.release_checks import releases
from platform_resources.spec.values.versions import Version
from tests.meshes import edited, model_file, product_file, tiny_mesh

NOTHING_BUILT = ProductLineage()
FILE = product_file("plant", "readings")
AGREEMENT = "purpose: Reporting.\n"
# What is replaced by what in the tiny mesh's product readings, the class, and what is said first.
CASES = {
    "column removed": ("sensor, type: varchar", "probe, type: varchar", "major", "column sensor is gone; it may be called probe now"),
    "type changed": ("measured_at, type: timestamp", "measured_at, type: varchar", "major", "column measured_at is varchar, not timestamp"),
    "type widened": ('degrees, type: "decimal(6,2)"', 'degrees, type: "decimal(8,3)"', "minor", "column degrees is decimal(8,3), not decimal(6,2)"),
    "fewer digits before the point": ('degrees, type: "decimal(6,2)"', 'degrees, type: "decimal(7,4)"', "major", "column degrees is decimal(7,4)"),
    "may be empty": ("name: sensor, type: varchar,", "name: sensor, type: varchar, nullable: true,", "major", "column sensor may be empty"),
    "never empty": ("name: operator, type: varchar, nullable: true", "name: operator, type: varchar", "minor", "column operator is never empty"),
    "not unique": (", tests: [unique]}", "}", "major", "column reading_id may have a value twice"),
    "value gained": ("[north, south]", "[north, south, west]", "major", "column sensor may have the new values west"),
    "value lost": ("[north, south]", "[north]", "minor", "column sensor has no longer the values south"),
    "any value": (", tests: [{accepted_values: {values: [north, south]}}]", "", "major", "column sensor may have any value"),
    "unit changed": ("unit: C", "unit: F", "major", "column degrees is in F, not in C"),
    "key changed": ("primary_key: [reading_id]", "primary_key: [sensor, measured_at]", "major", "the key of measurements is sensor, measured_at"),
    "other words": ("description: Which sensor.", "description: The sensor's name.", "patch", "column sensor is described in other words"),
    "port removed": ("name: measurements_file", "name: measurements_parquet", "major", "output port measurements_file is gone"),
    "port stored otherwise": ("format: parquet", "format: csv", "major", "output port measurements_file is stored as csv, not parquet"),
    "older data": ("max_age: 26h", "max_age: 48h", "major", "refreshed_daily (freshness) promises at most 2 days, not 26 h"),
    "within tolerance": ("max_age: 26h", "max_age: 27h", "minor", "which is within tolerance"),
    "younger data": ("max_age: 26h", "max_age: 12h", "minor", "refreshed_daily (freshness) promises at most 12 h, more than 26 h"),
    "fewer filled": ("at_least: 60", "at_least: 50", "major", "promises at least 50 %, not 60 %"),
    "target lowered": ("target: 80", "target: 70", "major", "refreshed_on_most_days (indicator) promises at least 70 %, not 80 %"),
    "no gate": ("gate: true\n", "gate: false\n", "major", "weighs less: a promise of severity error, not a gate"),
    "a gate that closes later": ("gate: true\n        severity: error", "gate: true\n        error: {at_least: 1}", "major", "weighs less: a promise, not a gate"),
    "an error, too": ("at_least: 60", "at_least: 60\n        error: {at_least: 10}", "minor", "have_a_temperature, as an error (completeness) is a new promise"),
    "unique in some rows": ("tests: [unique]", 'tests: [{unique: {config: {where: "degrees > 0"}}}]', "major", "column reading_id may have a value twice"),
    "values tested in some rows": ("{values: [north, south]}", '{values: [north, south], config: {where: "degrees > 0"}}', "major", "column sensor may have any value"),
    "shorter retention": ("format: parquet", "format: parquet\n        retention: 2d", "undetermined", "keeps old versions for 2 days at most, not without end"),
    "asked in another way": ("columns: [degrees]", "columns: [degrees, operator]", "undetermined", "is asked in another way"),
    "only renamed": ("name: Readings are never deleted", "name: Nothing is deleted", "patch", "is described in other words"),
    "masked": ("sees: [public, internal], masked: [personal]", "sees: [public], masked: [internal, personal]", "major", "role analyst sees sensor masked by redact, not in the clear"),
    "left out": (", masked: [personal]", "", "major", "role analyst sees operator not at all, not masked by redact"),
    "unmasked": ("sees: [public, internal], masked: [personal]", "sees: [public, internal, personal]", "minor", "role analyst sees operator in the clear"),
    "fewer rows": ("masked: [personal]}]", "masked: [personal], rows: \"sensor = 'north'\"}]", "major", "role analyst sees the rows of measurements where"),
    "purpose worded otherwise": (AGREEMENT, "purpose: Audits.\n", "undetermined", "the purpose of company_use is worded otherwise"),
    "a grant lost": ("grants: [{role: analyst, to: 'product:summary', purpose: Reporting., approved_by: plant-lead@example.com}]", "", "major", "agreement company_use no longer grants analyst to product:summary"),
    "notice": (AGREEMENT, f"{AGREEMENT}        notice_period: 30d\n", "minor", "the notice of company_use is 30 days, not none"),
    "deprecated": ("lifecycle: production", "lifecycle: deprecated\n        replacement: summary\n        end_date: 2027-06-30", "minor", "the product is deprecated, not production"),
    "retired": ("lifecycle: production", "lifecycle: retired", "major", "it is refreshed no more"),
    "tags": ("archetype: source-aligned", "archetype: source-aligned\n        tags: [heat]", "patch", "the product is described in other words"),
    "column renamed": ("name: sensor, type", "name: probe, renamed_from: sensor, type", "major", "column sensor is called probe"),
    "column offered beside": ("- {name: operator,", "- {name: on_duty, renamed_from: operator, type: varchar, nullable: true, classification: personal}\n          - {name: operator,", "minor", "column on_duty is new; it takes the place of operator, which is still there"),
    "key renamed": ("primary_key: [reading_id]\n        updated_at: processed_at\n        columns:\n          - {name: reading_id,", "primary_key: [number]\n        updated_at: processed_at\n        columns:\n          - {name: number, renamed_from: reading_id,", "major", "column reading_id is called number"),
    "port renamed": ("name: measurements_file\n      type: output-port\n      properties:", "name: parquet\n      type: output-port\n      properties:\n        renamed_from: measurements_file", "minor", "output port measurements_file is called parquet"),
    "objective renamed": ("name: Readings are never deleted\n      type: service-level-asset\n      properties:", "name: Nothing is deleted\n      type: service-level-asset\n      properties:\n        renamed_from: Readings are never deleted", "patch", "readings_are_never_deleted is called nothing_is_deleted"),
    "objective renamed and weaker": ("name: Refreshed daily\n      type: service-level-asset\n      properties:\n        dimension: freshness\n        data_set: measurements\n        max_age: 26h\n    - name: Refreshed on most days\n      type: service-level-indicator\n      properties:\n        service_level_name: Refreshed daily", "name: Fresh\n      type: service-level-asset\n      properties:\n        renamed_from: Refreshed daily\n        dimension: freshness\n        data_set: measurements\n        max_age: 48h\n    - name: Refreshed on most days\n      type: service-level-indicator\n      properties:\n        service_level_name: Fresh", "major", "refreshed_daily (freshness) promises at most 2 days, not 26 h"),
    "domain shut out": ("lifecycle: production", "lifecycle: production\n        domain_access: false", "major", "products of its domain no longer see everything"),
}  # fmt: skip


@pytest.fixture(scope="module")
def before(tmp_path_factory):
    found = contracts_in(tiny_mesh(tmp_path_factory.mktemp("before")))
    assert found.problems == ()
    return found.contracts["readings"]


@pytest.mark.parametrize("case", CASES)
def test_a_change_of_the_document_has_its_class(tmp_path, before, case):
    old, new, kind, what = CASES[case]
    after = contracts_in(edited(tiny_mesh(tmp_path), FILE, old, new))
    assert after.problems == () and not after.plan.rejected
    found = contract_changes(before, after.contracts["readings"], NOTHING_BUILT)
    assert worst_class(found) == kind, [(change.kind, change.what) for change in found]
    assert any(what in change.what and change.kind == kind for change in found), [change.what for change in found]


DAILY, SOME = "max_age: 26h", "at_least: 60"
# What stands in the document before and after, the worst class, and what is said.
BOTH = {
    "later deadline": (DAILY, 'by: "06:00"', 'by: "12:00"', "undetermined", ["refreshed_daily (freshness) is asked in another way"]),
    "earlier deadline": (DAILY, 'by: "12:00"', 'by: "06:00"', "undetermined", ["refreshed_daily (freshness) is asked in another way"]),
    "later error": (
        SOME,
        "at_least: 60\n        gate: true\n        error: {at_least: 50}",
        "at_least: 60\n        gate: true\n        error: {at_least: 5}",
        "major",
        ["most_readings_have_a_temperature, as an error (completeness) promises at least 5 %, not 50 %"],
    ),
}

DEGREES = 'name: degrees, type: "decimal(6,2)"'
ON_DUTY = "- {name: on_duty, renamed_from: operator, type: varchar, nullable: true, classification: personal}\n          "
NUMBER = "- {name: operator, type: bigint, nullable: true, classification: personal}"
OPERATOR = "- {name: operator, type: varchar, nullable: true, classification: personal, description: Who was on duty.}"
NEWS = "- {name: news, type: output-port, properties: {interface: kafka, data_set: measurements, servers: 'b:9092', topic: a, role: analyst}}\n    "
ANSWERS = "- {name: answers, type: output-port, properties: {interface: python-service, data_set: measurements, url: 'https://a.example.com'}}\n    "
RULED = "- name: Most readings have a temperature\n"
KEY = "primary_key: [reading_id]"
# Pairs that look like something else than they are.
BOTH |= {
    "a promise moves to another column": ("columns: [degrees]", "columns: [degrees]", "columns: [operator]", "major", ["most_readings_have_a_temperature (completeness) says nothing of degrees any more"]),
    "a former name is given to another column": (OPERATOR, OPERATOR, ON_DUTY + NUMBER, "major", ["column operator is bigint, not varchar", "column on_duty is new; it takes the place of operator, which is still there"]),
    "renamed with another type": (DEGREES, DEGREES.replace("degrees", "heat") + ", nullable: true}\n          - {" + DEGREES, "name: warmth, renamed_from: heat, type: double, nullable: true}\n          - {" + DEGREES, "major", ["column heat is called warmth", "column heat is double, not decimal(6,2)"]),
    "no global identifier": ("identifier: sensor, ", "identifier: sensor, ", "", "major", ["column sensor is no global identifier, not sensor"]),
    "another topic": (RULED, NEWS + RULED, NEWS.replace("topic: a", "topic: b") + RULED, "major", ["output port news sends to topic b at b:9092, as analyst sees it, not to topic a at b:9092"]),
    "another address": (RULED, ANSWERS + RULED, ANSWERS.replace("//a.", "//b.") + RULED, "undetermined", ["output port answers is reached at https://b.example.com, not at https://a.example.com"]),
    "a port renamed and read otherwise": ("name: measurements_file\n      type: output-port\n      properties:\n        interface: file\n        format: parquet", "name: measurements_file\n      type: output-port\n      properties:\n        interface: file\n        format: parquet", "name: as_rows\n      type: output-port\n      properties:\n        interface: sql\n        renamed_from: measurements_file", "major", ["output port measurements_file is called as_rows", "output port measurements_file is read by sql, not file"]),
    "key narrowed": (KEY, "primary_key: [reading_id, sensor]", KEY, "major", ["the key of measurements is reading_id, not reading_id, sensor"]),
    "key in another order": (KEY, "primary_key: [reading_id, sensor]", "primary_key: [sensor, reading_id]", None, []),
    "a list of wider numbers": ("operator, type: varchar", 'operator, type: "integer[]"', 'operator, type: "bigint[]"', "minor", ["column operator is bigint[], not integer[]"]),
    "only quotes": ("max_age: 26h", 'max_age: "26h"', "max_age: {value: '1560m'}", None, []),
    "values as numbers": ("[north, south]", "[1, 2]", "['2', '1']", None, []),
    "an anchor": (DEGREES, DEGREES.replace("type: ", "type: &kind "), DEGREES, None, []),
    "a test instead of not nullable": ("nullable: true, classification: personal, description: Who was on duty.", "classification: personal, description: Who was on duty.", "nullable: true, classification: personal, description: Who was on duty., tests: [not_null]", None, []),
}  # fmt: skip

ROLES = "roles: [{role: analyst, sees: [public, internal], masked: [personal]}]"
RULE = "{}\n    - name: Most readings have a temperature\n"
LAST = "    - name: Most readings have a temperature\n"
SECOND = """    - name: loggers
      type: data-set
      properties: {columns: [{name: sensor, type: varchar, classification: internal}]}
"""
BOTH |= {
    "data set removed": (LAST, SECOND + LAST, LAST, "major", ["data set loggers is gone"]),
    "data set added": (LAST, LAST, SECOND + LAST, "minor", ["data set loggers is new"]),
    "data set renamed": (LAST, SECOND + LAST, SECOND.replace("name: loggers", "name: probes") + LAST, "major", ["data set loggers is gone", "data set probes is new"]),
    "physical name": (LAST, SECOND + LAST, SECOND.replace("{columns", "{model: probes, columns") + LAST, "major", ["the table behind loggers is called probes, not loggers"]),
    "integer to bigint": ("reading_id, type: bigint", "reading_id, type: integer", "reading_id, type: bigint", "minor", ["column reading_id is bigint, not integer"]),
    "bigint to integer": ("reading_id, type: bigint", "reading_id, type: bigint", "reading_id, type: integer", "major", ["column reading_id is integer, not bigint"]),
    "float to double": ("measured_at, type: timestamp", "measured_at, type: float", "measured_at, type: double", "minor", ["column measured_at is double, not float"]),
    "date to timestamp": ("measured_at, type: timestamp", "measured_at, type: date", "measured_at, type: timestamp", "minor", ["column measured_at is timestamp, not date"]),
    "key lost": ("        primary_key: [reading_id]\n", "        primary_key: [reading_id]\n", "", "major", ["the key of measurements is none, not reading_id"]),
    "objective removed": (LAST, RULE.format("    - {name: Few are hot, type: service-level-asset, properties: {dimension: custom-sql, data_set: measurements, failing_rows: degrees > 40}}"), LAST, "major", ["few_are_hot (custom-sql) is no longer promised"]),
    "custom SQL": (LAST, RULE.format("    - {name: Few are hot, type: service-level-asset, properties: {dimension: custom-sql, data_set: measurements, failing_rows: degrees > 40}}"), RULE.format("    - {name: Few are hot, type: service-level-asset, properties: {dimension: custom-sql, data_set: measurements, failing_rows: degrees > 50}}"), "undetermined", ["few_are_hot (custom-sql) is asked in another way"]),
    "pattern": (LAST, RULE.format("    - {name: Named, type: service-level-asset, properties: {dimension: validity, data_set: measurements, column: operator, pattern: '[A-Z].*'}}"), RULE.format("    - {name: Named, type: service-level-asset, properties: {dimension: validity, data_set: measurements, column: operator, pattern: '[A-Z]+'}}"), "undetermined", ["named (validity) is asked in another way"]),
    "metric logic": (LAST, RULE.format("    - {name: Heat, type: service-level-asset, properties: {dimension: business-kpi, data_set: measurements, metric: avg(degrees), min: 10}}"), RULE.format("    - {name: Heat, type: service-level-asset, properties: {dimension: business-kpi, data_set: measurements, metric: max(degrees), min: 10}}"), "major", ["heat (business-kpi) is computed in another way"]),
    "time zone": ("measured_at, type: timestamp,", "measured_at, type: timestamp, unit: Europe/Berlin,", "measured_at, type: timestamp, unit: UTC,", "major", ["column measured_at is in UTC, not in Europe/Berlin"]),
    "other row filter": (ROLES, ROLES.replace("}]", ", rows: \"sensor = 'north'\"}]"), ROLES.replace("}]", ", rows: \"sensor = 'south'\"}]"), "undetermined", ["role analyst sees the rows of measurements where"]),
    "role lost": (ROLES, ROLES.replace("}]", "}, {role: auditor, sees: [public]}]"), ROLES, "major", ["role auditor sees nothing of measurements any more", "agreement company_use has no role auditor any more"]),
    "role gained": (ROLES, ROLES, ROLES.replace("}]", "}, {role: auditor, sees: [public]}]"), "minor", ["agreement company_use has a new role auditor"]),
    "purpose lost": ("purpose: Reporting.\n", "purpose: Reporting.\n", "terms: None.\n", "major", ["the purpose of company_use is worded otherwise"]),
    "notice shortened": (AGREEMENT, AGREEMENT + "        notice_period: 30d\n", AGREEMENT + "        notice_period: 14d\n", "major", ["the notice of company_use is 14 days, not 30 days"]),
    "support ends sooner": ("lifecycle: production", "lifecycle: deprecated\n        replacement: summary\n        end_date: 2027-06-30", "lifecycle: deprecated\n        replacement: summary\n        end_date: 2027-03-31", "major", ["support ends on 2027-03-31, not on 2027-06-30"]),
    "owners": ("plant-lead@example.com, technical", "plant-lead@example.com, technical", "ada@example.com, technical", "patch", ["the product is described in other words"]),
    "test gone": ("tests: [unique]", "tests: [unique, {positive: {}}]", "tests: [unique]", "undetermined", ["column reading_id is not tested by positive as before"]),
}  # fmt: skip


@pytest.mark.parametrize(("written", "old", "new", "kind", "told"), BOTH.values(), ids=BOTH)
def test_what_is_told_of_a_promise_is_true_of_it(tmp_path, written, old, new, kind, told):
    earlier, later = (contracts_in(edited(_with_models(tmp_path / name), FILE, written, by)) for name, by in (("old", old), ("new", new)))
    assert (earlier.problems, later.problems) == ((), ())
    found = contract_changes(earlier.contracts["readings"], later.contracts["readings"], NOTHING_BUILT)
    said = [change.what for change in found]
    assert worst_class(found) == kind and all(any(what.startswith(each) for what in said) for each in told), found


def _with_models(root):
    """The tiny mesh with models of which a second data set may be."""
    mesh = tiny_mesh(root)
    for name in ("loggers", "probes"):
        (mesh / model_file("plant", "readings", name)).write_text("select 'north' as sensor")
    return mesh


def test_a_product_that_moves_to_another_domain_is_found_no_more_where_it_was(before):
    (change,) = contract_changes(before, before.model_copy(update={"domain": "works"}), NOTHING_BUILT)
    assert (change.kind, change.what) == ("major", "the product is in domain works, not plant, and so are its files and tables")
    unsaid = before.model_copy(update={"domain": ""})
    assert contract_changes(unsaid, before, NOTHING_BUILT) == (), "contracts that were noted before did not say it"


def test_a_renamed_product_is_neither_gone_nor_new(tmp_path, before):
    mesh = tiny_mesh(tmp_path)
    for folder in ("dataproducts/plant", "dbt_project/models/plant"):
        (mesh / folder / "readings").rename(mesh / folder / "loggers")
    edited(mesh, product_file("plant", "loggers"), "name: readings\n", "name: loggers\n")
    edited(mesh, product_file("plant", "loggers"), "title: Sensor readings", "title: Sensor readings\n        renamed_from: readings")
    edited(mesh, model_file("plant", "loggers", "measurements"), "source('readings'", "source('loggers'")
    now = contracts_in(mesh)
    assert [problem.severity for problem in now.problems] == []
    changes = contract_changes(before, now.contracts["loggers"], NOTHING_BUILT, "structure")
    assert [(each.kind, each.what) for each in changes] == [("undetermined", "the product is called loggers, not readings")]
    (found,) = releases(MeshContracts({"readings": before}, MeshPlan((), ())), now, tmp_path, "structure", datetime.now(UTC))
    assert found.new is not None and [change.what for change in found.changes] == ["the product is called loggers, not readings"]


def test_a_product_that_is_as_it_was_has_no_changes(tmp_path, before):
    again = contracts_in(tiny_mesh(tmp_path)).contracts["readings"]
    assert contract_changes(before, again, NOTHING_BUILT) == ()
    assert contract_text(again) == contract_text(before)


def test_an_edit_of_sql_is_for_people_to_judge_and_other_line_breaks_are_no_edit(tmp_path, before):
    mesh = edited(tiny_mesh(tmp_path), model_file("plant", "readings", "measurements"), "\n    cast(sensor", " cast(sensor")
    assert contract_changes(before, contracts_in(mesh).contracts["readings"], NOTHING_BUILT) == ()
    edited(mesh, model_file("plant", "readings", "measurements"), "cast(sensor", "cast(upper(sensor)")
    (change,) = contract_changes(before, contracts_in(mesh).contracts["readings"], NOTHING_BUILT)
    assert (change.kind, change.what) == ("undetermined", "model measurements is written in another way, from which all columns come")


def test_a_contract_that_is_none_is_told():
    with pytest.raises(ContractUnreadable, match="product: Field required"):
        contract_from('{"version": "1.0.0", "lifecycle": "production"}')
    with pytest.raises(ContractUnreadable, match="Invalid JSON"):
        contract_from("no contract")


WIDENINGS = [
    ("integer", "bigint", True), ("bigint", "integer", False), ("float", "double", True), ("INTEGER", "BIGINT", True), ("date", "timestamp", True),
    ("timestamp", "timestamptz", False), ("integer", "double", False), ("uinteger", "bigint", True), ("ubigint", "bigint", False),
    ("utinyint", "tinyint", False), ("utinyint", "smallint", True), ("ubigint", "hugeint", True), ("varchar", "varchar", False),
    ("decimal(6,2)", "decimal(6,3)", False), ("decimal(6,2)", "decimal(7,3)", True),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "wider"), WIDENINGS)
def test_a_type_is_wider_if_it_holds_every_value(old, new, wider):
    assert is_wider(old, new) is wider


# Laws

names = st.sampled_from(["a", "b", "c"])
columns = st.builds(
    ContractColumn,
    name=names,
    type=st.sampled_from(["integer", "bigint", "date", "timestamp", "varchar"]),
    nullable=st.booleans(),
    unique=st.booleans(),
    unit=st.sampled_from(["", "C", "F"]),
    values=st.none() | st.lists(st.sampled_from(["x", "y", "z"]), unique=True).map(tuple),
    tests=st.lists(st.sampled_from(["positive {}", "odd {}"]), unique=True).map(tuple),
)
seen = st.dictionaries(names, st.sampled_from([CLEAR, "redact", "null"]), max_size=3)
data_sets = st.builds(
    ContractDataSet,
    name=names,
    table=names,
    key=st.lists(names, unique=True).map(tuple),
    columns=st.lists(columns, unique_by=lambda column: column.name).map(tuple),
    seen=st.dictionaries(st.sampled_from(["", "analyst"]), seen),
)
ports = st.builds(ContractPort, name=names, data_set=names, interface=st.just("sql"), keep_versions=st.integers(1, 3))
promises = st.builds(
    ContractPromise,
    name=names,
    dimension=st.just("volume"),
    unit=st.just("rows"),
    at_least=st.none() | st.integers(1, 100).map(float),
    at_most=st.none() | st.integers(1, 100).map(float),
    strength=st.integers(0, 3),
)
agreements = st.builds(
    ContractAgreement, name=names, notice_days=st.none() | st.integers(1, 9).map(float), roles=st.lists(names, unique=True).map(tuple)
)


def several(values):
    return st.lists(values, unique_by=lambda value: value.name, max_size=2).map(tuple)


contracts = st.builds(
    Contract,
    product=st.just("orders"),
    version=st.just("1.0.0"),
    lifecycle=st.just("production"),
    end_date=st.none() | st.dates(date(2026, 1, 1), date(2026, 1, 9)),
    data_sets=several(data_sets),
    ports=several(ports),
    promises=several(promises),
    agreements=several(agreements),
    models=st.dictionaries(names, st.sampled_from(["1", "2"])),
)


@given(contracts)
def test_nothing_differs_from_itself(contract):
    assert contract_changes(contract, contract, NOTHING_BUILT) == ()


@given(contracts)
def test_a_contract_is_read_as_it_was_written(contract):
    assert contract_from(contract_text(contract)) == contract


@given(contracts, contracts)
def test_what_adds_in_one_direction_breaks_or_is_unclear_in_the_other(one, other):
    there = contract_changes(one, other, NOTHING_BUILT)
    back = contract_changes(other, one, NOTHING_BUILT)
    assert bool(there) == bool(back)
    if worst_class(there) == "minor":
        assert worst_class(back) in ("major", "undetermined")


@given(contracts, contracts)
def test_each_profile_sees_what_the_one_before_sees(one, other):
    everything = contract_changes(one, other, NOTHING_BUILT)
    seen_by = [set(within(everything, profile)) for profile in PROFILES]
    assert seen_by[0] <= seen_by[1] <= seen_by[2] == set(everything)


@given(st.builds(Version, *[st.integers(0, 99)] * 3), st.sampled_from(CLASSES))
def test_every_change_demands_a_later_version_and_a_worse_one_no_earlier(version, kind):
    assert next_version(version, kind) > version
    assert next_version(version, "major") >= next_version(version, kind) >= next_version(version, "patch")
    assert next_version(version, None) == version
