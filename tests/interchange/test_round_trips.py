"""Products become documents of Bitol's standards and come back, and documents become products and come back: nothing is lost."""

import pytest
import yaml
from hypothesis import HealthCheck, given, settings

from platform_resources.capabilities.registry import installed_registry
from platform_resources.interchange.foreign_yaml import foreign_text
from platform_resources.interchange.official_schemas import schema_errors
from platform_resources.interchange.product_text import components_of
from platform_resources.interchange.round_trips import CARRIED, FORMS, exported, exported_text, imported
from platform_resources.spec.problems import problems_text
from tests.interchange.products import product_of, products
from tests.meshes import REPOSITORY

KNOWN = installed_registry()
VERSIONS = [(name, version) for name, form in FORMS.items() for version in form.standard.versions]
EXAMPLES = sorted((REPOSITORY.parent / "shared/standards").glob("*/*.yaml"))
SAMPLE = sorted((REPOSITORY / "dataproducts").glob("*/*/product.yaml"))


def normal(text: str) -> str:
    """Fields in the order of the alphabet, scalars as they are written, no comments."""
    return yaml.dump(yaml.load(text, yaml.BaseLoader), sort_keys=True)


def round_trip(text: str, form: str) -> str:
    """The document after it has been a product.yaml."""
    made = imported(text, "document.yaml", FORMS[form], KNOWN)
    assert made.text, problems_text(made.problems)
    return exported_text(product_of(made.text), FORMS[form], KNOWN)


def assert_kept(product, form: str, version: str) -> None:
    document = exported(product, FORMS[form], KNOWN, version)
    assert [error.message for error in schema_errors(FORMS[form].standard, document)] == []
    assert document["apiVersion"] == f"v{version}"
    back = imported(foreign_text(document), "document.yaml", FORMS[form], KNOWN)
    assert back.carried == (), problems_text(back.problems)
    assert components_of(product_of(back.text)) == components_of(product)


@pytest.mark.parametrize(("form", "version"), VERSIONS)
@given(product=products())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_a_product_that_is_exported_is_valid_and_comes_back_the_same(form, version, product):
    assert_kept(product, form, version)


@pytest.mark.parametrize("file", SAMPLE, ids=lambda file: file.parent.name)
@pytest.mark.parametrize(("form", "version"), VERSIONS)
def test_the_sample_products_are_valid_exports_and_come_back_the_same(form, version, file):
    assert_kept(product_of(file.read_text()), form, version)


@pytest.mark.skipif(not EXAMPLES, reason="the standards' own examples are not here")
@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
def test_the_standards_own_examples_come_back_byte_for_byte(file):
    text = file.read_text(encoding="utf-8")
    assert normal(round_trip(text, file.parent.name)) == normal(text)


CONTRACT = """
apiVersion: v3.2.0
kind: DataContract
id: c1
version: 1.10.0
status: in review
dataProduct: Shop visits
domain: Shops
tenant: acme
team:
  - {username: ann@example.com, role: Owner, dateIn: 2024-01-05}
  - {username: bob@example.com, role: Owner, dateIn: 2020-01-05, dateOut: 2023-12-31}
roles:
  - {role: reader, access: read}
  - {role: loader, access: write}
slaProperties:
  - {property: freshness, value: 90, unit: m, element: visits.seen_at}
  - {property: retention, value: 3, unit: m}
  - {property: timeOfAvailability, value: 09:00}
schema:
  - name: visits
    businessName: Visits
    properties:
      - {name: visit id, logicalType: integer, primaryKey: true, primaryKeyPosition: 1, required: true, unique: true}
      - {name: seen_at, logicalType: timestamp, physicalType: TIMESTAMP}
      - name: mail
        logicalType: string
        classification: personal
        quality:
          - {metric: nullValues, mustBeLessOrEqualTo: 5, unit: percent, scheduler: cron, schedule: 0 30 * * *}
          - {metric: nullValues, mustBe: 7}
      - {name: shape, logicalType: object, physicalType: GEOMETRY}
      - {name: SHAPE, logicalType: string}
    quality:
      - {metric: rowCount, mustBeGreaterThan: 10}
      - {type: text, description: Looks plausible.}
customProperties:
  - {property: nothing, value: }
  - {property: release, value: 1.10}
"""


def test_a_contract_becomes_a_product_in_the_platforms_words():
    made = imported(CONTRACT, "visits.yaml", FORMS["odcs"], KNOWN)
    assert (made.name, made.domain) == ("shop_visits", "shops")
    components = {f"{each['type']}/{each['name']}": each["properties"] for each in components_of(product_of(made.text))}
    info, visits = components["data-product/shop_visits"], components["data-set/visits"]
    assert info == {"version": "1.10.0", "lifecycle": "proposed", "owners": {"business": "ann@example.com"}}
    assert (visits["primary_key"], visits["updated_at"]) == (["visit id"], "seen_at")
    assert [(column["name"], column["type"], column.get("nullable", False)) for column in visits["columns"]] == [
        ("visit id", "bigint", False),
        ("seen_at", "timestamp", True),
        ("mail", "varchar", True),
        ("shape", "json", True),
    ]
    assert components["service-level-asset/visits is fresh"]["max_age"] == "90m"
    assert components["service-level-asset/Completeness of visits.mail"] == {
        "dimension": "completeness",
        "columns": ["mail"],
        "at_least": 95.0,
        "data_set": "visits",
    }
    assert components["service-level-asset/Volume of visits"]["at_least"] == 11
    assert components["data-sharing-agreement/Contract"]["roles"] == [{"role": "reader"}]


def test_what_a_contract_says_beside_comes_back_and_what_is_edited_stays_edited():
    assert normal(round_trip(CONTRACT, "odcs")) == normal(CONTRACT)
    made = imported(CONTRACT, "visits.yaml", FORMS["odcs"], KNOWN).text
    edited = made.replace("max_age: 90m", "max_age: 2h").replace("name: mail, type: varchar", "name: mail, type: json")
    document = exported(product_of(edited), FORMS["odcs"], KNOWN)
    (fresh,) = [level for level in document["slaProperties"] if level["property"] == "freshness"]
    mail = next(column for column in document["schema"][0]["properties"] if column["name"] == "mail")
    assert (fresh["value"], fresh["unit"], mail["physicalType"], document["tenant"]) == (2, "hours", "json", "acme")


def test_a_contract_is_imported_under_another_name_and_exported_as_it_was():
    made = imported(CONTRACT, "visits.yaml", FORMS["odcs"], KNOWN, name="footfall", domain="sales")
    product = product_of(made.text)
    assert (product.name, product.domain) == ("footfall", "sales")
    assert normal(exported_text(product, FORMS["odcs"], KNOWN)) == normal(CONTRACT)


def test_another_version_than_the_documents_own_can_be_asked_for():
    product = product_of(imported(CONTRACT, "visits.yaml", FORMS["odcs"], KNOWN).text)
    document = exported(product, FORMS["odcs"], KNOWN, "3.1.0")
    assert (document["apiVersion"], document["status"], document["team"][0]["dateIn"]) == ("v3.1.0", "in review", "2024-01-05")
    assert list(schema_errors(FORMS["odcs"].standard, document)) == []


def test_an_edit_of_an_exported_document_reaches_the_product():
    document = exported(product_of(SAMPLE[-1].read_text()), FORMS["odcs"], KNOWN)
    assert any(each["property"] == CARRIED for each in document["customProperties"])
    document["schema"][0]["properties"][0]["description"] = "Edited elsewhere."
    product = product_of(imported(foreign_text(document), "document.yaml", FORMS["odcs"], KNOWN).text)
    assert product.data_sets[0].config.columns[0].description == "Edited elsewhere."


def test_a_schedule_that_is_no_cron_expression_is_told_and_kept():
    (problem,) = imported(CONTRACT, "visits.yaml", FORMS["odcs"], KNOWN).problems
    assert (problem.line, problem.severity) == (30, "warning")
    assert problem.message == '"0 30 * * *" is no cron expression, so no time is known'


# Documents as other tools and older versions write them: the types of columns, and what is promised.
FOREIGN = {
    "datacontract_cli": (
        ["varchar", "timestamptz", "bigint", "varchar", "decimal(10,2)", "json"],
        {"orders is fresh": {"dimension": "freshness", "max_age": "24h"}},
    ),
    "entropy_data": (
        ["varchar", "date"],
        {
            "Volume of shelf_warmers": {"dimension": "volume", "severity": "error", "at_least": 1},
            "shelf_warmers is fresh": {"dimension": "freshness", "max_age": "4d"},
        },
    ),
    "kafka_avro": (
        ["varchar", "timestamptz", "double", "varchar", "bigint[]"],
        {"one per key and moment": {"dimension": "uniqueness", "severity": "warning", "columns": ["key", "ts"]}},
    ),
    "version_3_0": (
        ["date", "varchar", "varchar"],
        {
            "Row Count": {"dimension": "volume", "severity": "error", "at_least": 1000001},
            "Completeness of tbl.rcvr_id": {"dimension": "completeness", "severity": "error", "columns": ["rcvr_id"]},
            "Validity of tbl.rcvr_id": {"dimension": "validity", "column": "rcvr_id", "accepted_values": ["pounds", "kg"]},
            "tbl is fresh": {"dimension": "freshness", "max_age": "4d"},
        },
    ),
    "product": ([], {}),
}


@pytest.mark.parametrize("file", sorted((REPOSITORY / "tests/interchange/foreign").glob("*.yaml")), ids=lambda file: file.name)
def test_what_other_tools_write_is_read_in_the_platforms_words_and_comes_back_as_it_was(file):
    text, (name, form) = file.read_text(encoding="utf-8"), file.name.split(".")[:2]
    made = imported(text, file.name, FORMS[form], KNOWN)
    components, (types, promised) = components_of(product_of(made.text)), FOREIGN[name]
    assert [problem for problem in made.problems if problem.severity == "error"] == []
    assert [column["type"] for each in components if each["type"] == "data-set" for column in each["properties"]["columns"]] == types
    objectives = {each["name"]: each["properties"] for each in components if each["type"] == "service-level-asset"}
    beside = ("data_set", "description")
    assert {name: {key: said[key] for key in said if key not in beside} for name, said in objectives.items()} == promised
    assert normal(round_trip(text, form)) == normal(text)


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("kind: DataContract", "kind: DataProduct", 3, 'kind is "DataProduct"; a document of odcs has kind: DataContract'),
        ("v3.2.0", "v9.0.0", 2, "'v9.0.0' is not one of ['v3.1.0', 'v3.0.2', 'v3.0.1', 'v3.0.0', 'v2.2.2', 'v2.2.1', 'v2.2.0']"),
        ("required: true", "required: maybe", 24, "'maybe' is not of type 'boolean'"),
        ("tenant: acme", "tenants: acme", 9, '"tenants" is no field of the standard here'),
    ],
)
def test_a_document_that_the_standard_refuses_becomes_nothing(old, new, line, message):
    made = imported(CONTRACT.replace(old, new), "visits.yaml", FORMS["odcs"], KNOWN)
    errors = [problem for problem in made.problems if problem.severity == "error"]
    assert (made.text, [(each.line, each.message) for each in errors]) == ("", [(line, message)])
