"""Views of published versions: each file holds what its roles may see, byte for byte, and nothing else."""

import json
import os
import stat
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
import yaml

from platform_resources.access.grants import KnownGrants
from platform_resources.access.reader_standing import Reader
from platform_resources.access.views import KeyedRole, views_of
from platform_resources.capabilities.protocols import Store
from platform_resources.dbt.planning import read_plan
from platform_resources.publications.consumer_queries import queried
from platform_resources.publications.published_versions import shelf
from platform_resources.refresh.publishing import Candidate, NotPublishable, publish
from platform_resources.refresh.views.mask_keys import KEY_FILE, NoMaskKey, mask_key, new_key
from platform_resources.services.access.reader_views import ReaderView
from platform_resources.settings import MASK_KEY
from platform_resources.spec.agreements import AgreementRole
from platform_resources.spec.components import DataSet
from platform_resources.warehouses.duckdb.product_database import opened
from platform_resources.warehouses.engine_errors import QueryFailed
from tests.meshes import component, product_file, product_yaml, write_mesh

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
CANARIES = {"email": "CANARY-personal", "income": "CANARY-sensitive", "note": "CANARY-unclassified"}
COLUMNS = """
primary_key: [id]
classification: internal
columns:
  - {name: id, type: bigint, classification: public}
  - {name: region, type: varchar}
  - {name: email, type: varchar, nullable: true, classification: personal}
  - {name: income, type: varchar, classification: sensitive}
  - {name: note, type: varchar, classification: unclassified}
"""
AGREEMENT = """
purpose: Tests.
roles:
  - {role: analyst, sees: [public, internal], masked: [personal], rows: region = reader.region, attributes: {region: [EU, US]}}
  - {role: crm, sees: [public, internal, personal]}
  - {role: service, sees: [public, internal, personal]}
  - {role: research, sees: [public], columns: {email: pseudonym}}
grants:
  - {role: analyst, to: ana, purpose: Tests., approved_by: lead@example.com, attributes: {region: EU}}
  - {role: crm, to: "product:calls", purpose: Tests., approved_by: lead@example.com}
"""
PORTS = ("format: parquet", "format: csv", "format: json")
ROWS = """
create or replace table internal.customers as
select * from (values
  (1, 'EU', 'CANARY-personal-1@example.com', 'CANARY-sensitive-1', 'CANARY-unclassified-1'),
  (2, 'US', null, 'CANARY-sensitive-2', 'CANARY-unclassified-2'),
  (3, null, 'CANARY-personal-3@example.com', 'CANARY-sensitive-3', 'CANARY-unclassified-3')
) as rows(id, region, email, income, note)
"""


def mesh_of(folder, agreement=AGREEMENT, ports=PORTS):
    parts = [component("customers", "data-set", COLUMNS)]
    parts += [component(f"port_{n}", "output-port", f"interface: file\ndata_set: customers\n{port}") for n, port in enumerate(ports)]
    parts += [component("Internal use", "data-sharing-agreement", agreement)] if agreement else []
    document = product_yaml("customers", "crm", *parts, owners="{business: lead@example.com}")
    return write_mesh(
        folder, {product_file("crm", "customers"): document, "dbt_project/models/crm/customers/customers.sql": "select 1 as id\n"}
    )


def published(root, now=NOW, rows=ROWS):
    plan, problems = read_plan(root)
    assert [problem.message for problem in problems if problem.severity == "error"] == []
    product = plan.product("customers")
    with opened(root / "customers.duckdb") as database:
        database.connection.execute(rows)
        return product, publish(database, Candidate(product, root, now, "run", "print"), {})


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    root = mesh_of(tmp_path_factory.mktemp("views"))
    new_key(root)
    return root, *published(root)


def view_of(product, role, **attributes):
    return product.data_set("customers").views.of_role(role, tuple(sorted(attributes.items())))


def told_in(root, port, view):
    """Which canaries stand anywhere in the files of a view of a port."""
    files = [shelf(root, "crm", "customers").path(file) for file in port.views[view.name].files]
    text = b"".join(file.read_bytes() for file in files)
    return {column for column, canary in CANARIES.items() if canary.encode() in text}


def test_no_byte_of_a_file_tells_what_its_roles_may_not_see(shown):
    root, product, publication = shown
    seen = {"analyst": set(), "crm": {"email"}, "service": {"email"}, "research": set()}
    for port in publication.ports:
        for role in product.data_set("customers").views.roles:
            # zstd keeps short texts as they are: that the canaries of the whole are found shows that a scan can find them
            assert told_in(root, port, role.view) == seen[role.role], (port.port, role.role)
        whole = shelf(root, "crm", "customers").path(port.files[0]).read_bytes()
        assert all(canary.encode() in whole for canary in CANARIES.values())


def test_the_order_of_rows_tells_nothing_of_what_a_view_hides(tmp_path):
    """Rows that lie by income would tell whose is higher, and those that lie by a masked key the key itself."""
    root, written = mesh_of(tmp_path), []
    new_key(root)
    for hour, order in enumerate(("income", "income desc")):
        _, publication = published(root, NOW + timedelta(hours=hour), f"{ROWS} order by {order}")
        path = shelf(root, "crm", "customers").path
        views = {(port.port, name): path(view.files[0]).read_bytes() for port in publication.ports for name, view in port.views.items()}
        written.append(({port.port: path(port.files[0]).read_bytes() for port in publication.ports}, views))
    (whole, views), (whole_after, views_after) = written
    assert len(views) == 12 and views == views_after
    assert all(whole[port] != whole_after[port] for port in whole)


def test_roles_that_see_the_same_share_one_file(shown):
    _, product, publication = shown
    assert view_of(product, "crm") == view_of(product, "service")
    assert {len(port.views) for port in publication.ports} == {4}


def answer(root, sql, **reading):
    plan, _ = read_plan(root)
    view = ReaderView(plan, KnownGrants(), NOW, **reading)
    return queried(root, "crm", "customers", sql, seen=view.port)[1]


def test_each_reader_gets_the_rows_and_columns_of_the_role(shown):
    root, *_ = shown
    everything = "select * from customers order by id"
    assert answer(root, everything, reader=Reader("ana")) == [(1, "EU", "***")]
    assert answer(root, everything, preview="analyst", attributes={"region": "US"}) == [(2, "US", None)]
    calls = answer(root, everything, reader=Reader("product:calls", "service"))
    assert calls[0] == (1, "EU", "CANARY-personal-1@example.com")
    assert len(answer(root, everything, reader=Reader("lead@example.com"))[0]) == 5


@pytest.mark.parametrize(
    ("reading", "told"),
    [
        ({"reader": Reader("bob")}, "bob has no grant for a role of customers"),
        ({"reader": Reader("ana", role="crm")}, "ana has no grant for role crm of customers"),
        ({"preview": "../crm"}, 'customers has no role "../crm"'),
        ({"preview": "analyst"}, "say one value of each attribute of role analyst of customers, which are: region: EU, US"),
        ({"preview": "analyst", "attributes": {"region": "EU' or true --"}}, "say one value of each attribute of role analyst"),
    ],
)
def test_a_reader_without_the_role_gets_nothing(shown, reading, told):
    with pytest.raises(QueryFailed, match=told.replace("(", r"\(")):
        answer(shown[0], "select * from customers", **reading)


def test_a_query_cannot_leave_its_view(shown):
    root, _, publication = shown
    whole = shelf(root, "crm", "customers").path(publication.ports[0].files[0])
    for sql in (f"select * from '{whole}'", f"select * from read_parquet('{whole}')", f"select * from read_text('{root}/**')"):
        with pytest.raises(QueryFailed):
            answer(root, sql, reader=Reader("ana"))
    with pytest.raises(QueryFailed, match="income"):
        answer(root, "select income from customers", reader=Reader("ana"))


def test_without_an_agreement_others_get_what_is_public_and_internal(tmp_path):
    root = mesh_of(tmp_path, "", PORTS[:1])
    _, publication = published(root)
    assert answer(root, "select * from customers order by id", reader=Reader("bob")) == [(1, "EU"), (2, "US"), (3, None)]
    (view,) = publication.ports[0].views.values()
    assert not any(canary.encode() in shelf(root, "crm", "customers").path(view.files[0]).read_bytes() for canary in CANARIES.values())


def test_an_older_version_has_no_views_and_says_so(tmp_path):
    root = mesh_of(tmp_path, "", PORTS[:1])
    _, publication = published(root)
    pointer = root / "ports/crm/customers/latest.json"
    for file in (pointer, root / f"ports/crm/customers/versions/{publication.id}.json"):
        record = json.loads(file.read_text())
        del record.get("version", record)["ports"][0]["views"]
        file.write_text(json.dumps(record))
    assert len(queried(root, "crm", "customers", "select * from customers")[1]) == 3
    with pytest.raises(QueryFailed, match=r"does not have what is offered here .*`mesh refresh customers` publishes one"):
        answer(root, "select * from customers", reader=Reader("bob"))


# The key of masks


def test_without_a_key_nothing_is_published_and_the_last_version_stays(tmp_path, monkeypatch):
    monkeypatch.delenv(MASK_KEY.name, raising=False)
    root = mesh_of(tmp_path, ports=PORTS[:1])
    new_key(root)
    _, first = published(root)
    (root / KEY_FILE).unlink()
    with pytest.raises(NotPublishable, match="a mask needs a key, and there is none; `mesh access key` makes one"):
        published(root, NOW + timedelta(hours=1))
    assert shelf(root, "crm", "customers").latest() == first


def test_the_key_stands_in_no_file_of_the_mesh_but_its_own(shown):
    root, *_ = shown
    secret = mask_key(root, {})
    holding = [file for file in root.rglob("*") if file.is_file() and secret in file.read_bytes()]
    assert holding == [root / KEY_FILE]
    assert stat.S_IMODE((root / KEY_FILE).stat().st_mode) == 0o600


def test_a_key_that_others_may_read_or_that_is_too_short_is_refused(tmp_path):
    file = new_key(tmp_path)
    os.chmod(file, 0o644)
    with pytest.raises(NoMaskKey, match=r"whose mode is 0644; run: chmod 600"):
        mask_key(tmp_path, {})
    with pytest.raises(NoMaskKey, match="too short: 5 characters") as caught:
        mask_key(tmp_path, {MASK_KEY.name: "short"})
    assert "short:" in str(caught.value)


def test_a_new_key_masks_anew(tmp_path):
    root = mesh_of(tmp_path, ports=PORTS[:1])
    sql = "select email from customers where id = 1"
    masked = []
    for hour in range(2):
        new_key(root)
        published(root, NOW + timedelta(hours=hour))
        masked += answer(root, sql, preview="research")
    assert masked[0] != masked[1]
    assert all(len(value) == 32 for (value,) in masked)


def test_a_view_that_cannot_be_written_says_whose_it_is(tmp_path):
    """Digits of another script are a number to whoever reads the YAML, and none to the engine."""
    role = "roles: [{role: analyst, sees: [public], rows: id < reader.number, attributes: {number: ['٣']}}]"
    with pytest.raises(NotPublishable) as caught:
        published(mesh_of(tmp_path, role, PORTS[:1]))
    assert str(caught.value) == (
        "output port port_0, as role analyst number=٣ would see it: it cannot be written: a value does not fit a mask or the row filter"
    )


# An agreement that changes after the version was published


def seen_after(version, *changes):
    """What a role that is described anew gets of a version: its columns, or nothing."""
    role = AgreementRole.model_validate({"role": "research", "sees": ["public"], "columns": {"email": "pseudonym"}, **dict(changes)})
    data_set = DataSet.model_validate(yaml.safe_load(COLUMNS))
    (view,) = views_of(data_set, [KeyedRole(role, "customers.internal_use")], True).distinct
    found = version.seen_as(view)
    return list(found.columns) if found is not None else None


@pytest.mark.parametrize(
    ("changes", "seen"),
    [
        ((), ["id", "email"]),
        ((("sees", ["public", "internal"]),), ["id", "email"]),
        ((("columns", {}),), None),
        ((("columns", {"email": "redact"}),), None),
        ((("columns", {"email": "clear"}),), None),
        ((("rows", "id > 1"),), None),
    ],
    ids=["as it was", "wider", "narrower", "another mask", "clear", "fewer rows"],
)
def test_a_version_gives_what_is_offered_now_and_nothing_that_was_offered_before(shown, changes, seen):
    _, _, publication = shown
    assert seen_after(publication.ports[0], *changes) == seen


@dataclass(frozen=True)
class Copies:
    """A writer of a package that writes what it is given."""

    suffix: str = "copy"

    def write(self, files, columns, target):
        target.write_bytes(b"".join(file.read_bytes() for file in files))


def test_a_writer_of_a_package_is_given_each_view_and_no_byte_more(tmp_path):
    root = mesh_of(tmp_path, ports=PORTS[1:2])
    new_key(root)
    plan, _ = read_plan(root)
    product = plan.product("customers")
    written = replace(product, outputs=tuple(replace(port, store=Store("csv", writer=Copies())) for port in product.outputs))
    with opened(root / "customers.duckdb") as database:
        database.connection.execute(ROWS)
        (port,) = publish(database, Candidate(written, root, NOW, "run", "print"), {}).ports
    for part in (port, *port.views.values()):
        (own,), (file,) = part.own_files, part.files
        assert shelf(root, "crm", "customers").path(own).read_bytes() == shelf(root, "crm", "customers").path(file).read_bytes()
    analyst = port.seen_as(view_of(product, "analyst", region="EU"))
    assert list(analyst.own_files) == [file.replace(".csv", ".copy") for file in analyst.files] != list(port.own_files)
