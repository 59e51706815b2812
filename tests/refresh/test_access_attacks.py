"""Attacks on views of published data, each with what keeps it out."""

import duckdb
import pytest

from platform_resources.access.grants import KnownGrants
from platform_resources.access.reader_standing import Reader
from platform_resources.refresh.views.mask_keys import new_key
from platform_resources.refresh.views.role_files import give_roles
from platform_resources.warehouses.engine_errors import QueryFailed
from tests.meshes import edited, product_file
from tests.refresh.test_published_views import CANARIES, NOW, answer, mesh_of, published

EVIL = "EU' or true --"
DESCRIBED = "It's \"mine\"; '); attach 'x'; -- {{ ref('x') }}"
AGREEMENT = f"""
purpose: "x'; drop table grants; --"
roles:
  - {{role: analyst, sees: [public, internal], rows: region = reader.region, attributes: {{region: [EU, "{EVIL}"]}}}}
  - {{role: others, sees: [public, internal], rows: not (region = reader.region), attributes: {{region: [EU]}}}}
  - {{role: listed, sees: [public, internal], rows: "region in (reader.region, 'US') or id > 100", attributes: {{region: [EU]}}}}
  - {{role: crm, sees: [public, internal, personal]}}
grants:
  - {{role: analyst, to: ana, purpose: "x'); --", approved_by: lead@example.com, attributes: {{region: EU}}}}
  - {{role: analyst, to: eve, purpose: Tests., approved_by: lead@example.com, attributes: {{region: "{EVIL}"}}}}
  - {{role: crm, to: carl, purpose: Tests., approved_by: lead@example.com}}
"""
IDS = "select list(id order by id) from customers"


@pytest.fixture(scope="module")
def attacked(tmp_path_factory):
    root = mesh_of(tmp_path_factory.mktemp("attacked"), AGREEMENT, ("format: parquet",))
    file = product_file("crm", "customers")
    edited(
        root, file, "interface: file\n        data_set: customers\n        format: parquet", "interface: sql\n        data_set: customers"
    )
    told = DESCRIBED.replace("'", "''")
    edited(root, file, "classification: internal\n", f"classification: internal\n        description: '{told}'\n")
    edited(root, file, "{name: region, type: varchar}", f"{{name: region, type: varchar, description: '{told}'}}")
    new_key(root)
    product, publication = published(root)
    give_roles(root, product, KnownGrants(), NOW)
    return root, product, publication


def files_of(root, *parts):
    return [str(file) for file in root.joinpath("ports/crm/customers", *parts).rglob("*") if file.is_file()]


@pytest.mark.parametrize(
    ("reading", "seen"),
    [
        ({"reader": Reader("ana")}, [1]),
        ({"reader": Reader("eve")}, None),
        ({"preview": "others", "attributes": {"region": "EU"}}, [2]),
        ({"preview": "listed", "attributes": {"region": "EU"}}, [1, 2]),
    ],
    ids=["an attribute", "an attribute that is SQL", "a negation", "a list"],
)
def test_a_row_without_a_region_is_nobodys_and_a_value_is_a_value(attacked, reading, seen):
    """The third row has no region: neither a comparison nor its negation holds for null."""
    assert answer(attacked[0], IDS, **reading) == [(seen,)]


@pytest.mark.parametrize(
    "statement",
    [
        "select * from '{other}'",
        "select * from read_parquet('{other}')",
        "select * from read_parquet(['{own}', '{other}'])",
        "select * from parquet_metadata('{other}')",
        "select * from read_text('{folder}/../../customers/latest.json')",
        "select * from glob('{folder}/**')",
        "select * from read_blob('{folder}/*')",
        "attach '{folder}/by-role/crm/customers.duckdb' as stolen; select * from stolen.customers",
        "copy (select 1) to '{folder}/x.csv'",
        "set allowed_paths = ['{other}']; select * from '{other}'",
        "select income from customers",
        "select email from customers",
        "from customers select columns('.*mail')",
    ],
)
def test_a_query_that_guesses_what_another_role_reads_gets_nothing_of_it(attacked, statement):
    root, *_ = attacked
    (other,) = (file for file in files_of(root, "by-role/crm") if file.endswith(".parquet"))
    (own,) = (file for file in files_of(root, "by-role/analyst-region-EU") if file.endswith(".parquet"))
    with pytest.raises(QueryFailed) as refused:
        answer(root, statement.format(other=other, own=own, folder=root / "ports/crm/customers"), reader=Reader("ana"))
    assert not any(canary in str(refused.value) for canary in CANARIES.values())


def test_a_query_may_not_ask_for_the_settings_that_name_files(attacked):
    root, *_ = attacked
    with pytest.raises(QueryFailed, match=r"^current_setting\(\) is nothing that a consumer may read"):
        answer(root, "select current_setting('allowed_paths')::varchar", reader=Reader("ana"))


def test_what_other_queries_have_spilled_beside_the_server_is_read_by_nobody(attacked, tmp_path, monkeypatch):
    """DuckDB lets everybody read its folder for spilled rows, `.tmp` where the process runs, unless it has none."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".tmp").mkdir()
    (tmp_path / ".tmp/spilled").write_text("rows of another")
    for source in (f"read_text('{tmp_path}/.tmp/spilled')", "glob('.tmp/*')"):
        with pytest.raises(QueryFailed, match=rf"^{source.partition('(')[0]}\(\) is nothing that a consumer may read"):
            answer(attacked[0], f"select * from {source}", reader=Reader("ana"))


def test_descriptions_stay_text_in_the_catalog_of_a_role(attacked):
    root, *_ = attacked
    with duckdb.connect(f"{root}/ports/crm/customers/by-role/crm/customers.duckdb", read_only=True) as catalog:
        assert catalog.execute("select comment from duckdb_views() where view_name = 'customers'").fetchall() == [(DESCRIBED,)]
        assert catalog.execute("select comment from duckdb_columns() where column_name = 'region'").fetchall() == [(DESCRIBED,)]
        assert [name for (name,) in catalog.execute("select view_name from duckdb_views() where not internal").fetchall()] == ["customers"]


def test_no_part_of_a_path_comes_from_what_an_agreement_says_of_values(attacked):
    root, *_ = attacked
    names = {folder.name for folder in (root / "ports/crm/customers/by-role").iterdir()}
    assert {"analyst-region-EU", "crm"} < names and len(names) == 3
    assert not any(character in name for name in names for character in "' /.")


def test_pseudonyms_of_two_agreements_do_not_join(tmp_path):
    """And equal values of one agreement do: that is what they are for."""
    role = "{{role: {0}, sees: [public], columns: {{email: pseudonym}}}}"
    agreement = "purpose: Tests.\nroles: [" + ", ".join(role.format(name) for name in ("first", "second")) + "]"
    root = mesh_of(tmp_path, agreement, ("format: parquet",))
    second = "    - name: Another\n      type: data-sharing-agreement\n      properties:\n        roles: [{role: third, sees: [public], columns: {email: pseudonym}}]\n"
    file = root / product_file("crm", "customers")
    file.write_text(file.read_text() + second)
    new_key(root)
    published(root)
    one, two, three = (answer(root, "select email from customers where id = 1", preview=name) for name in ("first", "second", "third"))
    assert one == two != three


def test_a_link_among_published_files_is_not_followed_to_what_it_leads_to(attacked, tmp_path):
    """Somebody who may write into the folder of a role puts a link to another role's file there: a repair takes the link away."""
    root, product, _ = attacked
    (other,) = (file for file in files_of(root, "by-role/crm") if file.endswith(".parquet"))
    stray = root / "ports/crm/customers/by-role/analyst-region-EU/latest.json.parquet"
    stray.symlink_to(other)
    give_roles(root, product, KnownGrants(), NOW)
    assert not stray.is_symlink() and other in files_of(root, "by-role/crm")
