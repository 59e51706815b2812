"""Markers in every classified column, and a scan of every byte that a role can reach: files, catalogs, queries, pages, JSON, messages.

A product is refreshed for real, with checks that fail because of the markers. The same scan finds every marker where all may be seen.
"""

import re
import shutil
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import duckdb
import pytest
from fastapi.testclient import TestClient

from platform_resources.access.grants import KnownGrants
from platform_resources.capabilities.registry import installed_registry
from platform_resources.dbt.planning import read_plan
from platform_resources.ledger.database import ledger_url, open_ledger
from platform_resources.ledger.records import CheckReading, ColumnProfiled, PortPublication, Run, check_id
from platform_resources.ledger.writing import write
from platform_resources.marketplace.application import application, shown_as
from platform_resources.marketplace.kept_view import opened_market
from platform_resources.measuring.version_profiles import profile_data
from platform_resources.publications.consumer_queries import queried
from platform_resources.publications.published_versions import Shelf, shelf
from platform_resources.refresh.stages import PublishDone
from platform_resources.refresh.views.mask_keys import new_key
from platform_resources.services.access.access_plan import apply_access
from platform_resources.services.access.reader_views import ReaderView, named_reader
from platform_resources.services.judging import judge_refreshed
from platform_resources.services.refreshes.check_records import check_records
from platform_resources.services.refreshes.execution import refresh_product
from platform_resources.warehouses.engine_errors import QueryFailed
from tests.meshes import component, model_file, product_file, product_yaml, write_mesh

# By the column that it stands in: what no other text of the mesh has.
CANARIES = {
    "plan": b"KAIROS",
    "email": b"ZEPHYR",
    "born": b"1907-08-",
    "income": b"73915",
    "note": b"QUOKKA",
    "area": b"WALRUS",
}
ROWS = "\nunion all ".join(
    f"select cast({n} as bigint) as id, cast('{region}' as varchar) as region, cast('KAIROS{n}' as varchar) as plan, "
    f"cast({email} as varchar) as email, cast('1907-08-1{n}' as date) as born, cast(73915000{n} as bigint) as income, "
    f"cast('QUOKKA{n}' as varchar) as note, cast('WALRUS{n}' as varchar) as area"
    for n, region, email in ((1, "EU", "'ZEPHYR1@example.com'"), (2, "US", "null"), (3, "EU", "'ZEPHYR1@example.com'"))
)
COLUMNS = """
primary_key: [id]
columns:
  - {name: id, type: bigint, classification: public}
  - {name: region, type: varchar, classification: internal}
  - {name: plan, type: varchar, classification: internal}
  - {name: email, type: varchar, nullable: true, classification: personal, tests: [{unique: {config: {severity: warn}}}]}
  - {name: born, type: date, classification: personal}
  - {name: income, type: bigint, classification: sensitive, tests: [{accepted_values: {values: [1, 2], quote: false, config: {severity: warn}}}]}
  - {name: note, type: varchar, classification: unclassified}
  - {name: area, type: varchar, classification: internal}
"""
AGREEMENT = """
purpose: Tests.
roles:
  - {role: analyst, sees: [public, internal], masked: [personal], columns: {area: left-out}, masks: {personal: redact}}
  - {role: crm, sees: [public, internal, personal], columns: {area: left-out}}
  - {role: regional, sees: [public, internal], rows: region = reader.region, attributes: {region: [EU, US]}}
grants:
  - {role: analyst, to: ana, purpose: Tests., approved_by: lead@example.com}
  - {role: crm, to: "product:calls", purpose: Tests., approved_by: lead@example.com}
  - {role: regional, to: "team:us", purpose: Tests., approved_by: lead@example.com, attributes: {region: US}}
"""
# What each reader may come to know: of the row filter's reader only what the American row says.
SEEN = {
    "ana": {"plan"},
    "product:calls": {"plan", "email", "born"},
    "team:us": {"plan", "area"},
    "bob": set(),
    "lead@example.com": set(CANARIES),
}
OTHER_ROWS = (b"KAIROS1", b"WALRUS3")
FORMATS = {
    "table": "interface: sql",
    "parquet": "interface: file\nformat: parquet",
    "csv": "interface: file\nformat: csv",
    "json": "interface: file\nformat: json",
}
CHECKS = {
    "Mails look like mails": "dimension: validity\ncolumn: email\npattern: none",
    "Births are late": 'dimension: validity\ncolumn: born\nmin: "2000-01-01"',
    "Incomes are small": "dimension: validity\ncolumn: income\nmax: 10",
    "Notes are known": "dimension: validity\ncolumn: note\naccepted_values: [x]",
    "Areas are known": "dimension: validity\ncolumn: area\naccepted_values: [x]",
    "Plans are known": "dimension: validity\ncolumn: plan\naccepted_values: [x]",
    "Mails are unique": "dimension: uniqueness\ncolumns: [email]",
    "Incomes by hand": "dimension: custom_sql\nscalar: max(income)\nmax: 1",
}


def document():
    parts = [component("customers", "data-set", COLUMNS)]
    parts += [component(f"customers_{name}", "output-port", f"{text}\ndata_set: customers") for name, text in FORMATS.items()]
    parts += [component(title, "service-level-asset", f"{text}\ndata_set: customers") for title, text in CHECKS.items()]
    parts += [component("Internal use", "data-sharing-agreement", AGREEMENT)]
    return product_yaml("customers", "crm", *parts, owners="{business: lead@example.com}", archetype="aggregate")


def records(results, now):
    """What the events of the refresh would tell the ledger."""
    yield Run("run", "customers", "refresh_customers", "succeeded", now, now, "", "", 1)
    for record in (each for done in results for each in check_records(done)):
        said = record.said
        numbers = {"unit": said.unit, "at_least": said.at_least, "at_most": said.at_most}
        value = said.value if isinstance(said.value, float | int) else None
        number = check_id(record.check.key, record.check.name)
        yield CheckReading(
            number, now, "run", said.verdict, value, said.shown, said.threshold, said.failing_rows, said.reason, 1, **numbers
        )
    published = next(done for done in results if isinstance(done, PublishDone))
    for port in published.publication.ports:
        yield PortPublication(
            "customers", port.port, published.publication.id, now, "1.0.0", now, port.rows, port.bytes, port.columns, "run", 1
        )
    for each in published.profiled:
        for place, column in enumerate(profile_data(each.profile)):
            name = column["name"]
            yield ColumnProfiled("customers", each.data_set, published.publication.id, name, place, now, column, "run", 1)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Refreshed once; every record of it is in the ledger, with the incidents and messages that follow."""
    root = write_mesh(
        tmp_path_factory.mktemp("canaries"),
        {
            product_file("crm", "customers"): document(),
            model_file("crm", "customers", "customers"): ROWS,
            "dataproducts/crm/domain.yaml": "channels: {alerts: {url: '${HOOK}'}}\nroutes: [{channel: alerts, for: owner}, {channel: alerts, for: subscriber}]\n",
        },
    )
    new_key(root)
    plan, problems = read_plan(root)
    assert [problem.message for problem in problems if problem.severity == "error"] == []
    results = []
    outcome = refresh_product(root, root, plan.product("customers"), installed_registry(), "run", results.append)
    assert outcome.version, outcome
    ledger = open_ledger(ledger_url(root, {}))
    now = datetime.now(UTC)
    with ledger.writing() as connection:
        write(connection, list(records(results, now)))
    judge_refreshed(ledger, root, plan, ["customers"], installed_registry(), now + timedelta(hours=1))
    ledger.close()
    assert apply_access(root, plan, KnownGrants(), now) == ()
    return root


def found_in(content):
    """Which columns a text has values of; numbers also as they are written for people."""
    plain = re.sub(rb"(?<=\d)[,\xc2\xa0](?=\d)", b"", content)
    return {column for column, canary in CANARIES.items() if canary in content or canary in plain}


def rows_of(reader, folder):
    """All that the catalog of a role tells."""
    with duckdb.connect(str(folder / "customers.duckdb"), read_only=True) as catalog:
        return repr(catalog.execute("select * from customers").fetchall()).encode()


FOLDERS = {"ana": "analyst", "product:calls": "crm", "team:us": "regional-region-US"}


@pytest.mark.parametrize("reader", FOLDERS)
def test_no_byte_of_the_folder_of_a_role_tells_what_it_may_not_see(root, reader):
    folder = root / "ports/crm/customers/by-role" / FOLDERS[reader]
    files = list(folder.iterdir())
    assert {file.suffix for file in files} == {".parquet", ".csv", ".json", ".duckdb"}
    content = b"".join(file.read_bytes() for file in files) + rows_of(reader, folder).replace(b"datetime.date(1907, 8, ", b"1907-08-")
    assert found_in(content) == SEEN[reader]
    assert reader != "team:us" or not any(row in content for row in OTHER_ROWS)


def asked(root, reader, sql):
    plan, _ = read_plan(root)
    seen = ReaderView(plan, KnownGrants(), datetime.now(UTC), named_reader(plan, reader)).port
    return "\n".join(map(str, queried(root, "crm", "customers", sql, as_text=True, seen=seen)[1])).encode()


@pytest.mark.parametrize("reader", FOLDERS)
def test_a_query_of_any_port_tells_what_the_reader_may_see(root, reader):
    ports = " union all by name ".join(f"select *, '{name}' as port from customers_{name}" for name in FORMATS)
    assert found_in(asked(root, reader, ports)) == SEEN[reader]
    hidden = sorted(CANARIES.keys() - SEEN[reader])[0]
    with pytest.raises(QueryFailed) as refused:
        asked(root, reader, f"select error({hidden}::varchar) from customers_csv")
    assert found_in(str(refused.value).encode()) == set()


def addresses(client):
    """Every address that the application answers, for every name that the mesh has of what stands in it."""
    names = {"name": "customers", "data_set": "customers", "column": list(CANARIES), "port": [f"customers_{name}" for name in FORMATS]}
    names |= {"version": [each["id"] for each in client.get("/api/v1/products/customers/versions").json()]}
    names |= {"domain": "crm", "cause": "customers", "number": "1", "file_name": ["customers.parquet", "customers.csv", "customers.json"]}
    names |= {"form": list(installed_registry().exports()), "draft": "none"}
    for route in flat(client.app.routes):
        if "GET" in (getattr(route, "methods", None) or ()):
            yield from filled(re.sub(r":path}", "}", route.path), {**names, "name": ["customers", "crm"]})


def flat(routes):
    for route in routes:
        yield from flat(route.original_router.routes) if hasattr(route, "original_router") else [route]


def filled(path, names):
    hole = re.search(r"{(\w+)}", path)
    if hole is None:
        yield path
        return
    values = names[hole[1]]
    for value in [values] if isinstance(values, str) else values:
        yield from filled(path.replace(hole[0], value), names)


def reachable(root, reader):
    """All that the marketplace answers to a reader."""
    texts = []
    with TestClient(application(opened_market(root), watch=False, who=shown_as(reader)), base_url="http://localhost") as client:
        paths = sorted(set(addresses(client)))
        assert len(paths) > 30, paths
        queries = [
            "select * from customers_csv",
            "select error(email || income::varchar) from customers_json",
            "select email from crm.customers",
        ]
        asked = [f"/lab{part}?{urlencode({'product': 'customers', 'sql': sql})}" for part in ("", "/result.csv") for sql in queries]
        for path in [*paths, *asked, "/search?q=zephyr", "/search?q=customers", "/api/v1/search?q=mail", "/compare?p=customers"]:
            answer = client.get(path)
            assert answer.status_code < 500, path
            texts.append(path.encode() + answer.content)
    return texts


@pytest.mark.parametrize("reader", SEEN)
def test_no_page_no_json_and_no_download_tells_what_the_reader_may_not_see(root, reader):
    texts = reachable(root, reader)
    asked_for = b"search?q=zephyr"
    told = {column: text[:80] for text in texts if not text.startswith(b"/" + asked_for) for column in found_in(text)}
    assert told.keys() <= SEEN[reader], told
    assert told.keys() >= SEEN[reader] - {"born", "income"}
    assert reader != "team:us" or not any(row in text for row in OTHER_ROWS for text in texts)


def test_messages_and_what_the_ledger_has_of_checks_and_incidents_tell_nothing_personal_or_sensitive(root):
    text = (root / ".mesh/ledger.sqlite").read_bytes() + b"".join(file.read_bytes() for file in root.glob(".mesh/ledger.sqlite-*"))
    assert b"Mails look like mails" in text
    # What an owner declares to be measured is told: here the highest income, by an aggregate of the product's own SQL.
    assert found_in(text) & {"email", "born", "income"} == {"income"} and b"Incomes by hand" in text


def test_no_other_file_of_the_mesh_has_a_value_but_the_database_and_the_published_files(root):
    """Nor has the log of anything; the model's own SQL has them here, and so has what dbt made of it."""
    own = ("warehouse/", "ports/", "dbt_project/models/", "dbt_project/target/")
    others = [file for file in root.rglob("*") if file.is_file() and not file.relative_to(root).as_posix().startswith(own)]
    others = [file for file in others if not file.name.startswith("ledger.sqlite")]
    assert {file: found for file in others if (found := found_in(file.read_bytes()))} == {}


class Killed(BaseException):
    """What no handler of ours catches, as a kill."""


@pytest.mark.parametrize("how", ["killed before the pointer", "a view that cannot be written"])
def test_after_a_publication_that_did_not_end_roles_reach_what_they_reached_before(root, tmp_path, monkeypatch, how):
    copy = shutil.copytree(root, tmp_path / "mesh", symlinks=True)
    file = copy / product_file("crm", "customers")
    text = file.read_text()
    plan, _ = read_plan(copy)
    assert apply_access(copy, plan, KnownGrants(), datetime.now(UTC)) == ()
    if how == "killed before the pointer":
        monkeypatch.setattr(Shelf, "point_at", lambda *_: (_ for _ in ()).throw(Killed()))
    else:
        file.write_text(text.replace("rows: region = reader.region,", "rows: region > 5 and region = reader.region,"))
        plan, _ = read_plan(copy)
    model = copy / model_file("crm", "customers", "customers")
    model.write_text(
        model.read_text() + "\nunion all select 4, 'EU', 'KAIROS4', 'ZEPHYR4', date '1907-08-14', 739150004, 'QUOKKA4', 'WALRUS4'\n"
    )
    plan, _ = read_plan(copy)
    before = shelf(copy, "crm", "customers").latest()

    def refreshed():
        return refresh_product(copy, copy, plan.product("customers"), installed_registry(), "second")

    if how == "killed before the pointer":
        with pytest.raises(Killed):
            refreshed()
    else:
        outcome = refreshed()
        assert outcome.version is None and found_in(repr(outcome.reasons).encode()) == set()
    assert shelf(copy, "crm", "customers").latest() == before
    folders = copy / "ports/crm/customers/by-role"
    for reader, name in FOLDERS.items():
        if (folders / name).is_dir():
            assert found_in(b"".join(each.read_bytes() for each in (folders / name).iterdir())) <= SEEN[reader]
    assert b"KAIROS4" not in b"".join(each.read_bytes() for each in folders.rglob("*") if each.is_file())
