"""`mesh access plan` and `apply` on Snowflake: what is wanted of an account, that it is made, and that nothing is given too early.

Roles, grants and policies are those of tests/snowflake_account.py, since fakesnow has none; schemas and views are fakesnow's.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from platform_resources.access.grants import KnownGrants
from platform_resources.dbt.planning import read_plan
from platform_resources.ledger.database import ledger_url, open_ledger
from platform_resources.plan.tenancy import MeshTenancy, mesh_tenancy
from platform_resources.refresh.product_locks import locked
from platform_resources.refresh.publishing import Candidate, publish, tidied
from platform_resources.services.access.access_plan import access_plan, apply_access, give_now
from platform_resources.services.releases.archives import archive_of
from platform_resources.services.releases.retirement import Retiring, begin, retire, retirement_plan
from platform_resources.settings import MASK_KEY
from platform_resources.warehouses.published_places import CatalogView, PublishedRows
from platform_resources.warehouses.snowflake.account import SnowflakeWarehouse
from platform_resources.warehouses.snowflake.account_names import member_of
from platform_resources.warehouses.snowflake.sessions import connected
from platform_resources.warehouses.snowflake.wanted_objects import wanted_domain, wanted_product
from platform_resources.warehouses.targets import warehouse
from tests.golden_files import assert_golden
from tests.meshes import component, edited, product_file, product_yaml, write_mesh
from tests.snowflake_account import Account, Died, connecting
from tests.snowflake_server import give_up_early, snowflake_server

GOLDEN = Path(__file__).parents[1] / "golden"
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
COLUMNS = """
primary_key: [id]
classification: internal
columns:
  - {name: id, type: bigint, classification: public}
  - {name: region, type: varchar}
  - {name: email, type: varchar, nullable: true, classification: personal}
"""
AGREEMENT = """
purpose: Tests.
roles:
  - {role: analyst, sees: [public, internal], rows: region = reader.region, attributes: {region: [EU, US]}}
  - {role: crm, sees: [public, internal, personal]}
  - {role: service, sees: [public, internal, personal]}
grants:
  - {role: analyst, to: ana@example.com, purpose: Tests., approved_by: lead@example.com, attributes: {region: EU}}
  - {role: crm, to: "product:calls", purpose: Tests., approved_by: lead@example.com}
  - {role: service, to: "team:desk", purpose: Tests., approved_by: lead@example.com, until: 2026-12-24}
"""
ROWS = "create or replace table internal.customers as select 1::bigint as id, 'EU' as region, 'ana@example.com' as email"
DOMAIN = "title: CRM\nowners: {business: lead@example.com}\ncompute: {warehouse_size: large, auto_suspend: 2m, monthly_credits: 50, statement_timeout: 2h}\n"
OTHER = """primary_key: [id]\ncolumns: [{name: id, type: bigint, classification: public}]"""


def mesh_of(folder):
    port = component("customers_sql", "output-port", "interface: sql\ndata_set: customers")
    file = component("customers_file", "output-port", "interface: file\nformat: csv\ndata_set: customers")
    agreement = component("Internal use", "data-sharing-agreement", AGREEMENT)
    document = product_yaml(
        "customers", "crm", component("customers", "data-set", COLUMNS), port, file, agreement, owners="{business: lead@example.com}"
    )
    calls = component("calls_sql", "output-port", "interface: sql\ndata_set: calls")
    other = product_yaml("calls", "desk", component("calls", "data-set", OTHER), calls, owners="{business: team:desk}")
    return write_mesh(
        folder,
        {
            product_file("crm", "customers"): document,
            product_file("desk", "calls"): other,
            "dataproducts/crm/domain.yaml": DOMAIN,
            "dbt_project/models/crm/customers/customers.sql": "select 1 as id\n",
            "dbt_project/models/desk/calls/calls.sql": "select 1 as id\n",
        },
    )


def plan_of(root):
    plan, problems = read_plan(root)
    assert [problem.message for problem in problems if problem.severity == "error"] == []
    return plan


def test_every_statement_is_as_reviewed(tmp_path, monkeypatch):
    for name, value in {"SNOWFLAKE_DATABASE": "mesh", "SNOWFLAKE_ROLE": "mesh"}.items():
        monkeypatch.setenv(name, value)
    tenancy = mesh_tenancy(plan_of(mesh_of(tmp_path)), KnownGrants(), NOW)
    customers = next(each for each in tenancy.products if each.name == "customers")
    assert [(role.name, role.readers) for role in customers.readers] == [
        ("analyst-region-EU", ("ana@example.com",)),
        ("crm", ("product:calls", "team:desk")),
    ]
    rows = PublishedRows("MESH__CRM__CUSTOMERS", "customers", "v", {"id": "bigint", "region": "varchar"}, "view_0123456789ab")
    given = {role.name: (CatalogView("customers", rows, "Who buys; it's all."),) for role in customers.readers}
    wanted = dict(wanted_domain(tenancy.domains[0], tenancy)) | dict(
        wanted_product(customers, tenancy, given, {"CUSTOMERS": ["ID", "REGION", "EMAIL", "Größe"]})
    )
    lines = [f"-- {key[0]} {key[1]}: {each.why}\n" + "".join(f"{sql};\n" for sql in each.make) for key, each in wanted.items()]
    assert_golden("\n".join(lines), GOLDEN / "snowflake_access.sql")
    for each in wanted.values():
        for sql in each.make:
            parsed(sql)


def parsed(sql):
    """What sqlglot can read must be what it says; the rest it takes as a command, and CREATE ROW ACCESS POLICY it does not take."""
    if sql.startswith("create row access policy"):
        return
    (tree,) = sqlglot.parse(sql, dialect="snowflake")
    if sql.startswith("create masking policy"):
        body = sql.partition(" -> ")[2].rpartition(" comment = ")[0]
        assert isinstance(sqlglot.parse_one(body, dialect="snowflake"), exp.Case)
    if sql.startswith("create or replace secure view"):
        assert isinstance(tree, exp.Create) and tree.find(exp.Select) is not None
    names = [each for each in tree.find_all(exp.Identifier) if each.args.get("quoted")]
    assert [each.name for each in names if each.name != each.name.upper() and each.name.isascii()] == []


def test_a_team_called_like_everybody_or_like_a_role_of_the_mesh_gets_nothing(monkeypatch):
    monkeypatch.setenv("SNOWFLAKE_DATABASE", "mesh")
    nothing = MeshTenancy((), ())
    assert member_of("team:desk", nothing) == ("ROLE", "DESK")
    assert [member_of(team, nothing) for team in ("team:public", "team:Public", "team:mesh__crm__customers__TEAM")] == [None] * 3


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with snowflake_server(tmp_path_factory.mktemp("snowflake") / "log") as environment:
        yield environment


@pytest.fixture
def provisioned(server, tmp_path, monkeypatch, request):
    """A mesh of which a product is published, and an account that has nothing of it yet but the rows."""
    prefix = f"P{abs(hash(request.node.name)) % 10**8}"
    for name, value in {**server, "SNOWFLAKE_DATABASE": prefix, MASK_KEY.name: "0123456789abcdef" * 2}.items():
        monkeypatch.setenv(name, value)
    give_up_early(monkeypatch)
    account = Account(users={"LEAD@EXAMPLE.COM", "ANA@EXAMPLE.COM"}, groups={"PUBLIC", "DESK", "SYSADMIN"})
    monkeypatch.setattr(SnowflakeWarehouse.__init__, "__defaults__", (connecting(account, connected),))
    root = mesh_of(tmp_path)
    for domain, name in (("crm", "customers"), ("desk", "calls")):
        product = plan_of(root).product(name)
        with warehouse().opened(root, domain, name) as database:
            database.session.rows(ROWS if name == "customers" else "create table internal.calls as select 1::bigint as id")
            publish(database, Candidate(product, root, NOW, "run", "print"), {})
    account.done.clear()
    return root, account, f"{prefix}__CRM__CUSTOMERS"


def applied(root, now=NOW):
    return apply_access(root, plan_of(root), KnownGrants(), now)


def planned(root, now=NOW):
    found = access_plan(root, plan_of(root), KnownGrants(), now)
    assert found.problems == ()
    return [(each.act, each.place) for each in found.changes]


def test_after_apply_the_plan_is_empty_and_a_second_apply_does_nothing(provisioned):
    root, account, database = provisioned
    assert {act for act, _ in planned(root)} == {"create", "change", "close"} and account.done == []
    assert applied(root) == ()
    assert planned(root) == []
    account.done.clear()
    assert applied(root) == () and account.done == []
    assert (f"{database}__READS_CRM", "ROLE", "DESK") in account.members
    assert (f"{database}__READS_CRM", "ROLE", database.replace("CRM__CUSTOMERS", "DESK__CALLS") + "__TEAM") in account.members
    (analyst,) = [name for name in account.roles if "READS_ANALYST" in name]
    has = {(privilege, kind) for privilege, kind, _, role in account.privileges if role == analyst}
    assert has == {("USAGE", "DATABASE"), ("USAGE", "SCHEMA"), ("SELECT", "VIEW")}
    assert account.classes[f"{database}.VERSIONS.CUSTOMERS", "EMAIL"] == "personal"
    assert account.warehouses[database.partition("__")[0] + "__CRM"] == {
        "size": "large", "seconds": "120", "longest": "7200", "limit": database.partition("__")[0] + "__CRM", "comment": "Made by the mesh",
    }  # fmt: skip


def test_what_ends_is_revoked_first_and_what_somebody_added_too(provisioned):
    root, account, database = provisioned
    applied(root)
    account.members.add((f"{database}__READS_CRM", "USER", "EVE"))
    account.privileges.add(("SELECT", "TABLE", f"{database}.VERSIONS.CUSTOMERS", f"{database}__TEAM"))
    account.privileges.add(("SELECT", "TABLE", f"{database}.INTERNAL.CUSTOMERS", f"{database}__TEAM"))
    edited(root, product_file("crm", "customers"), 'role: crm, to: "product:calls"', 'role: crm, to: "team:desk"')
    edited(root, "dataproducts/crm/domain.yaml", "statement_timeout: 2h", "statement_timeout: 3h")
    account.done.clear()
    assert applied(root, NOW + timedelta(days=60)) == ()
    assert [sql.split()[0] for sql in account.done] == ["revoke"] * 3 + ["alter"] * 2, account.done
    edited(root, "dataproducts/crm/domain.yaml", ", statement_timeout: 3h", "")
    assert [act for act, _ in planned(root, NOW + timedelta(days=60))] == ["change"]
    assert applied(root, NOW + timedelta(days=60)) == () and "longest" not in account.warehouses[database.split("__")[0] + "__CRM"]
    assert not any(name == "EVE" for _, _, name in account.members) and planned(root, NOW + timedelta(days=60)) == []


def test_nothing_is_given_where_something_cannot_be_taken_away(provisioned):
    root, account, database = provisioned
    applied(root)
    account.members.add((f"{database}__READS_CRM", "USER", "EVE"))
    edited(root, "dataproducts/crm/domain.yaml", "warehouse_size: large", "warehouse_size: small")
    account.refused = "revoke role"
    refused, kept = applied(root)
    assert "Insufficient privileges" in refused and refused.endswith('from user "EVE"')
    assert kept.endswith("not done, since something could not be taken away before")
    assert next(iter(account.warehouses.values()))["size"] == "large"


def test_whoever_is_not_in_the_account_is_told_and_all_others_have_what_they_should(provisioned):
    root, account, _database = provisioned
    account.users.discard("ANA@EXAMPLE.COM")
    (told,) = applied(root)
    assert told.startswith("member ") and "user ANA@EXAMPLE.COM does not exist or not authorized" in told
    assert [place for _, place in planned(root)] == [told.partition(": ")[0]]


def test_a_death_before_any_statement_is_made_up_for_and_gives_nobody_too_much(provisioned):
    root, account, database = provisioned
    total = 0
    for _ in range(30):
        account.steps = 9  # so that each attempt comes a little further
        try:
            assert applied(root) == ()
            break
        except Died:
            total += 1
            readers = {role for role, kind, name in account.members if "READS" in role}
            protected = {of for of, _ in account.references}
            assert not readers or f"{database}.VERSIONS.CUSTOMERS" in protected
    account.steps = None
    assert total > 5 and planned(root) == []
    assert not [sql for sql in (*account.done, *account.passed) if sql.startswith(("drop table", "drop database", "truncate"))]


def test_a_decision_gives_and_takes_in_the_account_at_once(provisioned, monkeypatch):
    root, account, _database = provisioned
    applied(root)
    monkeypatch.setattr("platform_resources.services.access.access_plan.known_grants", lambda _: KnownGrants())
    edited(root, product_file("crm", "customers"), ", until: 2026-12-24", ", until: 2026-11-28")
    account.done.clear()
    assert give_now(root, plan_of(root), "customers", NOW) == ()
    assert [sql.partition('"')[0] for sql in account.done] == ["revoke role "]
    assert planned(root) == []


def test_a_product_that_is_gone_or_broken(provisioned):
    root, account, database = provisioned
    applied(root)
    file = root / product_file("crm", "customers")
    text = file.read_text()
    file.write_text(text.replace("purpose: Tests.", "purpos: Tests.", 1))
    found = access_plan(root, read_plan(root)[0], KnownGrants(), NOW)
    assert list(found.changes) == [] and "its description is broken" in found.problems[0]
    file.unlink()
    acts = planned(root)
    assert {act for act, _ in acts} == {"revoke", "change"} or {act for act, _ in acts} == {"revoke"}
    assert applied(root) == () and not [role for role in account.roles if role.startswith(f"{database}__")]
    assert not any(sql.startswith("drop database") for sql in account.passed)


def test_roles_read_each_new_version_without_a_new_apply(provisioned):
    root, _account, database = provisioned
    applied(root)
    product, later = plan_of(root).product("customers"), NOW + timedelta(hours=1)
    candidate = Candidate(product, root, later, "run", "print")
    with locked(root, product, 0), warehouse().opened(root, "crm", "customers") as opened:
        opened.session.rows(ROWS + " union all select 2, 'EU', 'x'")
        publication = publish(opened, candidate, {})
        assert list(tidied(candidate, publication, root, KnownGrants())) == []
        (schema,) = [row[1] for row in opened.session.rows(f'show schemas in database "{database}"') if "AS_ANALYST" in row[1]]
        assert opened.session.rows(f'select count(*) from "{database}"."{schema}"."CUSTOMERS"') == [(2,)]
    assert planned(root, later) == []


def test_roles_read_files_of_file_ports_in_folders_of_their_own(provisioned):
    root, _account, _database = provisioned
    applied(root)
    folders = root / "snowflake/ports/crm/customers/by-role"
    texts = {folder.name: "".join(file.read_text() for file in folder.glob("*.csv")) for folder in folders.iterdir()}
    assert {name: "ana@example.com" in text for name, text in texts.items()} == {"analyst-region-EU": False, "crm": True, "service": True}
    assert "EU" in texts["analyst-region-EU"] and "customers_sql" not in (folders / "crm/latest.json").read_text()
    applied(root, NOW + timedelta(days=60))
    assert {folder.name for folder in folders.iterdir()} == {"analyst-region-EU", "crm"}, "a grant that has ended is taken away"


def test_a_retired_product_leaves_its_archive_and_neither_roles_nor_a_database(provisioned):
    root, account, database = provisioned
    applied(root)
    ledger = open_ledger(ledger_url(root, {}))
    plan = plan_of(root)
    retiring = Retiring(root, root, ledger, plan, plan.product("customers"), NOW)
    begin(retiring, retirement_plan(retiring), "lead@example.com", "Nobody calls any more.", "It was a trial.")
    account.done.clear()
    assert list(retire(retiring)) == ["archive", "schedules", "grants", "ports", "storage"]
    assert not [name for name in account.roles if name.startswith(f"{database}__")]
    assert ("crm", "customers") not in warehouse().products(root) and ("desk", "calls") in warehouse().products(root)
    assert retirement_plan(replace(retiring, plan=plan_of(root), product=plan_of(root).product("customers"))).is_done
    archive = archive_of(root, "crm", "customers")
    rows = duckdb.sql(f"select * from read_parquet('{root / archive.folder / 'customers.parquet'}')")
    assert (rows.columns, rows.fetchall()) == (["id", "region", "email"], [(1, "EU", "ana@example.com")])
    assert applied(root) == () and planned(root) == []
    ledger.close()
