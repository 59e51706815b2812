"""Views of rows in Snowflake: each role reads there what it reads on DuckDB, and no text of a statement has the key."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from platform_resources.access.grants import KnownGrants
from platform_resources.access.reader_standing import Reader
from platform_resources.capabilities.measures import Relation
from platform_resources.dbt.planning import read_plan
from platform_resources.publications.consumer_queries import queried
from platform_resources.publications.published_versions import shelf
from platform_resources.publications.version_records import Keeping
from platform_resources.refresh.publishing import Candidate, publish
from platform_resources.refresh.views.mask_keys import mask_variables, new_key
from platform_resources.services.access.reader_views import ReaderView
from platform_resources.settings import MASK_KEY
from platform_resources.warehouses.engine_errors import QueryFailed
from platform_resources.warehouses.snowflake.sessions import Session
from platform_resources.warehouses.targets import warehouse
from tests.meshes import component, product_file, product_yaml, write_mesh
from tests.snowflake_server import give_up_early, snowflake_server, trial

pytestmark = pytest.mark.account
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
NUMBERS = itertools.count(1)
COLUMNS = """
primary_key: [id]
classification: internal
columns:
  - {name: id, type: bigint, classification: public}
  - {name: region, type: varchar}
  - {name: email, type: varchar, nullable: true, classification: personal}
  - {name: card, type: uuid, classification: personal}
  - {name: device, type: varchar, classification: personal}
  - {name: born_on, type: date, classification: personal}
  - {name: income, type: "decimal(18,2)", classification: sensitive}
"""
AGREEMENT = """
purpose: Tests.
roles:
  - {role: analyst, sees: [public, internal], masked: [personal], rows: region = reader.region, attributes: {region: [EU, "E'U\\\\"]}}
  - role: research
    sees: []
    columns:
      id: pseudonym
      email: keyed-hash
      card: keyed-hash
      device: {mask: partial, first: 1, last: 2}
      born_on: {mask: truncate-date, to: month}
      income: {mask: bands, width: 1000}
  - {role: crm, sees: [public, internal, personal, sensitive]}
grants:
  - {role: analyst, to: ana, purpose: Tests., approved_by: lead@example.com, attributes: {region: EU}}
"""
ROWS = """
create or replace table internal.customers as
select cast(id as bigint) as id, region, email, cast(card as {wide}) as card, device, cast(born_on as date) as born_on,
  cast(income as decimal(18,2)) as income
from (values
  (1, 'EU', 'ana@example.com', 'eaa36e69-a5db-8479-a054-4cc6e55c4760', 'phone-1234', '1984-05-17', 1250.25),
  (2, 'US', null, 'eaa36e69-a5db-8479-a054-4cc6e55c4761', 'tv', '2001-12-31', -0.75),
  (3, null, 'ä', 'eaa36e69-a5db-8479-a054-4cc6e55c4762', 'tablet-77', '1990-01-01', 99999.99),
  (4, 'E''U{slash}', 'x', 'eaa36e69-a5db-8479-a054-4cc6e55c4763', 'phone-9999', '1999-09-09', 0)
) as t(id, region, email, card, device, born_on, income)
"""
READINGS = (
    {"preview": "analyst", "attributes": {"region": "EU"}},
    {"preview": "analyst", "attributes": {"region": "E'U\\"}},
    {"preview": "research"},
    {"preview": "crm"},
    {"reader": Reader("ana")},
)


@pytest.fixture(scope="module")
def account(tmp_path_factory):
    with snowflake_server(tmp_path_factory.mktemp("snowflake") / "log") as environment:
        yield environment


def mesh_of(folder):
    parts = [component("customers", "data-set", COLUMNS)]
    parts += [component("customers_sql", "output-port", "interface: sql\ndata_set: customers\nkeep_versions: 1")]
    parts += [component("Internal use", "data-sharing-agreement", AGREEMENT)]
    document = product_yaml("customers", "crm", *parts, owners="{business: lead@example.com}")
    model = "dbt_project/models/crm/customers/customers.sql"
    return write_mesh(folder, {product_file("crm", "customers"): document, model: "select 1 as id\n"})


@pytest.fixture
def published(tmp_path, monkeypatch, account):
    """Publish the product on an engine, with a key that is the same on each; gives what was published, by engine."""
    monkeypatch.setenv(MASK_KEY.name, "0123456789abcdef" * 2)
    give_up_early(monkeypatch)
    root = mesh_of(tmp_path)
    product = read_plan(root)[0].product("customers")
    name = f"TEST{next(NUMBERS)}"

    def on(kind, now=NOW):
        for variable, value in {**account, "MESH_TARGET": kind, "SNOWFLAKE_DATABASE": trial(name)}.items():
            monkeypatch.setenv(variable, value)
        with warehouse().opened(root, "crm", "customers") as database:
            wide, slash = ("uuid", "\\") if kind == "duckdb" else ("varchar", "\\\\")
            sql = ROWS.format(wide=wide, slash=slash)
            database.session.rows(sql) if kind == "snowflake" else database.connection.execute(sql)
            return publish(database, Candidate(product, root, now, "run", "print"), {})

    return root, on


def answer(root, sql="select * from customers order by 1", **reading):
    view = ReaderView(read_plan(root)[0], KnownGrants(), NOW, **reading)
    return queried(root, "crm", "customers", sql, as_text=True, seen=view.port)


def test_each_role_reads_what_it_reads_on_duckdb(published):
    root, on = published
    shown = {}
    for kind in ("duckdb", "snowflake"):
        on(kind)
        shown[kind] = [answer(root, **reading) for reading in READINGS]
    assert shown["snowflake"] == shown["duckdb"]
    names, rows = shown["snowflake"][0]
    assert names == ["id", "region", "email", "card", "device", "born_on"] and [row[1] for row in rows] == ["EU"]
    assert [row[:2] for row in shown["snowflake"][1][1]] == [("4", "E'U\\")]
    assert len(shown["snowflake"][2][1]) == len(shown["snowflake"][3][1]) == 4


def test_a_reader_names_no_other_view_and_no_table(published):
    root, on = published
    (port,) = on("snowflake").ports
    whole = shelf(root, "crm", "customers").where(port)
    for table in (f"{whole.database}.VERSIONS.CUSTOMERS", "mesh.mask_keys", *(f"views.customers__{name}" for name in port.views)):
        with pytest.raises(QueryFailed):
            answer(root, f"select * from {table}", reader=Reader("ana"))
    with pytest.raises(QueryFailed, match="ask for one"):
        answer(root, reader=Reader("eve"))


def test_no_statement_has_the_key_and_no_file_that_stays(published, monkeypatch):
    root, on = published
    said, run = [], Session.described
    monkeypatch.setattr(Session, "described", lambda session, sql, *more: said.append(sql) or run(session, sql, *more))
    on("snowflake")
    secrets = mask_variables(root, ["mesh", "customers.internal_use"])
    assert len(secrets) == 4 and any("MASK_KEYS" in sql for sql in said)
    hidden = [form for key in secrets.values() for form in (key.hex(), key.hex().upper(), key.decode("latin-1"))]
    assert [sql for sql in said for form in hidden if form in sql] == []
    assert [path for path in root.rglob("*") if path.is_file() and any(form.encode() in path.read_bytes() for form in hidden)] == []


def test_a_new_key_is_what_views_mask_with_from_the_next_publication_on(published, monkeypatch):
    root, on = published
    on("snowflake")
    before = answer(root, preview="research")
    monkeypatch.delenv(MASK_KEY.name)
    new_key(root)
    on("snowflake", NOW + timedelta(minutes=1))
    after = answer(root, preview="research")
    assert after[1] and {row[0] for row in before[1]}.isdisjoint(row[0] for row in after[1])


def test_another_product_is_pointed_at_the_view_of_exactly_its_version(published):
    root, on = published
    first = on("snowflake")
    (port,) = first.ports
    product = read_plan(root)[0].product("customers")
    view = product.data_set("customers").views.of_role("analyst", (("region", "EU"),))
    seen = shelf(root, "crm", "customers").where(port.seen_as(view))
    with warehouse().opened(root, "finance", "revenue") as database:
        database.point_at(Relation("inputs", "customers"), seen)
        assert list(database.columns(Relation("inputs", "customers"))) == ["id", "region", "email", "card", "device", "born_on"]
        assert [row["id"] for row in database.rows("select id from inputs.customers")] == [1]
        on("snowflake", NOW + timedelta(minutes=1))
        assert database.count(Relation("inputs", "customers")) == 1


def test_views_that_no_version_has_are_taken_away(published):
    root, on = published
    on("snowflake")
    text = (root / product_file("crm", "customers")).read_text()
    (root / product_file("crm", "customers")).write_text(text.replace("sees: []", "sees: [internal]"))
    versions = shelf(root, "crm", "customers")
    product = read_plan(root)[0].product("customers")
    with warehouse().opened(root, "crm", "customers") as database:
        newest = publish(database, Candidate(product, root, NOW + timedelta(days=1), "run", "print"), {})
        views = "select count(*) from information_schema.views where table_schema = 'VIEWS'"
        assert database.execute(views)[0] == 4
        versions.prune(Keeping({"customers_sql": 1}), NOW + timedelta(days=2))
        assert database.execute(views)[0] == len([1 for each in newest.ports[0].views.values() if each.files[0].count("/") == 2]) == 3
    assert len(answer(root, preview="research")[1]) == 4
