"""A column is at least as restricted as what it is made from: what its readers receive, and what is told."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from platform_resources.access.reader_standing import Reader
from platform_resources.capabilities.registry import installed_registry
from platform_resources.dbt.planning import read_mesh_and_plan
from platform_resources.lineage.product_lineage import ModelLineage, ProductLineage, lineage_text
from platform_resources.lineage.sql_columns import ReadTable, model_columns
from platform_resources.plan import conventions
from platform_resources.publications.published_versions import shelf
from platform_resources.refresh.auditing import audit
from platform_resources.refresh.publishing import Candidate, publish
from platform_resources.refresh.views.class_travel import inherited_in, restricted
from platform_resources.services.access.policy_standings import history_policy_problems
from platform_resources.services.showing.mesh_overview import mesh_overview
from platform_resources.services.showing.seen_mesh import seen_by
from platform_resources.warehouses.duckdb.product_database import opened
from tests.marketplace.shop_mesh import opened_ledger
from tests.meshes import component, indented, product_file, product_yaml, write_mesh

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
SQL = """
select id, email as contact, upper(email) as shouted, case when email like '%.de' then 'DE' else 'EU' end as region,
       count(email) over () as people, count(*) over () as all_rows, email as named, email as sworn, note as remark
from people
"""
COLUMNS = """
classification: internal
columns:
  - {name: id, type: bigint}
  - {name: contact, type: varchar}
  - {name: shouted, type: varchar, classification: public}
  - {name: region, type: varchar}
  - {name: people, type: bigint}
  - {name: all_rows, type: bigint}
  - {name: named, type: varchar, classification: sensitive}
  - {name: sworn, type: varchar, declassified: Of companies alone.}
  - {name: remark, type: varchar}
"""
PEOPLE = "columns: [{name: id, type: bigint, classification: public}, {name: email, type: varchar, classification: personal}, {name: note, type: varchar}]"
AGREEMENT = """
purpose: Tests.
roles:
  - {role: analyst, sees: [public, internal]}
  - {role: crm, sees: [public, internal, personal, sensitive]}
  - {role: caller, sees: [public], columns: {contact: clear}}
"""
NAMES = ("id", "contact", "shouted", "region", "people", "all_rows", "named", "sworn", "remark")


def mesh_of(folder, agreement):
    port = "interface: file\nformat: parquet\ndata_set: "
    parts = [component("contacts", "data-set", COLUMNS), component("people", "data-set", PEOPLE)]
    parts += [component("contacts_file", "output-port", f"{port}contacts")]
    parts += [component("Use", "data-sharing-agreement", agreement)] if agreement else []
    files = {product_file("crm", "customers"): product_yaml("customers", "crm", *parts, owners="{technical: team:crm}")}
    files |= {f"dbt_project/models/crm/customers/{name}.sql": f"select 1 as {name}\n" for name in ("contacts", "people")}
    return write_mesh(folder, files)


def keep_lineage(root):
    found = model_columns(SQL, "duckdb", "customers", [ReadTable("people", "main", "people", ("id", "email", "note"))], NAMES, False)
    models = {
        "people": ModelLineage(("id", "email", "note"), {}, {}, (), "", "k"),
        "contacts": ModelLineage(NAMES, found.columns, found.rows, ("people",), "", "k"),
    }
    file = root / conventions.lineage_file("crm", "customers")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(lineage_text(ProductLineage(models)))


def published(root, lineage=True):
    if lineage:
        keep_lineage(root)
    mesh, plan, _ = read_mesh_and_plan(root)
    product = plan.product("customers")
    with opened(root / "customers.duckdb") as database:
        database.connection.execute("create or replace table people as select 1 as id, 'CANARY@b.de' as email, 'x' as note")
        database.connection.execute(f"create or replace table internal.contacts as {SQL}")
        publication = publish(database, Candidate(product, root, NOW, "run", "print"), {})
    return mesh, plan, publication.ports[0]


@pytest.fixture(scope="module")
def open_to_others(tmp_path_factory):
    root = mesh_of(tmp_path_factory.mktemp("travel"), "")
    return root, *published(root)


def test_what_is_made_from_a_column_carries_its_class_and_what_only_counts_or_decides_does_not(open_to_others):
    _, _, _, port = open_to_others
    assert port.inherited == {"contact": "personal", "shouted": "personal"}


def test_others_do_not_receive_it_and_no_byte_of_it_stands_in_their_file(open_to_others):
    root, _, plan, port = open_to_others
    view = plan.product("customers").data_set("contacts").views.open
    seen = port.seen_as(view)
    assert list(seen.columns) == ["id", "region", "people", "all_rows", "sworn", "remark"]
    text = b"".join(shelf(root, "crm", "customers").path(file).read_bytes() for file in seen.files)
    assert b"CANARY@B.DE" not in text
    assert b"CANARY@B.DE" in shelf(root, "crm", "customers").path(port.files[0]).read_bytes()


def test_profiles_and_reasons_keep_back_the_same_columns(open_to_others):
    root, _, plan, _ = open_to_others
    ledger = opened_ledger(root)
    overview = mesh_overview(ledger, root, root, plan, NOW)
    ledger.close()
    product = plan.product("customers")
    view = seen_by(overview, Reader("eve@example.com")).reading.view(product, "contacts")
    assert {"contact", "shouted"}.isdisjoint(column.name for column in view.columns) and view.tells("remark")


def test_a_reason_names_no_group_by_a_value_that_came_from_a_personal_column(tmp_path):
    root = mesh_of(tmp_path, "")
    file = root / product_file("crm", "customers")
    many = component("Many each", "service-level-asset", "dimension: volume\ndata_set: contacts\nat_least: 5\ngroup_by: contact")
    file.write_text(file.read_text() + indented(many, 4) + "\n")
    _, plan, _ = published(root)
    product = plan.product("customers")
    with opened(root / "customers.duckdb") as database:
        for told, audited in ((True, product), (False, restricted(product, inherited_in(root, product, {})))):
            (found,) = audit(database, replace(audited, data_sets=audited.data_sets[:1]), installed_registry(), NOW, None)
            assert found.judgement.verdict == "missed" and ("CANARY" in repr((found.judgement, found.sample))) is told


def test_the_way_is_told_and_ends_with_a_reason(open_to_others):
    root, mesh, plan, _ = open_to_others
    problems = history_policy_problems(root, mesh, plan, NOW)
    assert [(problem.severity, problem.message) for problem in sorted(problems)] == [
        ("warning", f"column {name} is {now}, and is made from personal data: customers.people.email -> customers.contacts.{name}")
        for name, now in (("contact", "internal"), ("shouted", "public"))
    ]


def test_a_role_that_sees_the_class_or_was_given_the_column_receives_it(tmp_path):
    root = mesh_of(tmp_path, AGREEMENT)
    _, plan, port = published(root)
    views = plan.product("customers").data_set("contacts").views
    seen = {role: list(port.seen_as(views.of_role(role, ())).columns) for role in ("analyst", "crm", "caller")}
    assert seen["analyst"] == ["id", "region", "people", "all_rows", "sworn", "remark"]
    assert seen["crm"] == list(NAMES)
    assert seen["caller"] == ["contact"]


def test_a_build_of_which_nothing_is_known_says_nothing_against_what_people_say(tmp_path):
    _, plan, port = published(mesh_of(tmp_path, ""), lineage=False)
    assert port.inherited == {}
    assert "contact" in port.seen_as(plan.product("customers").data_set("contacts").views.open).columns
