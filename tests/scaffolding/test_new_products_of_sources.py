"""Products that begin from a table of a real PostgreSQL or a REST interface of a real server: published, and no secret is written."""

import os
from datetime import UTC, datetime

import pytest
from sqlalchemy import create_engine, text

from platform_resources.capabilities.readers.source_addresses import filled
from platform_resources.scaffolding.rest_guesses import NotGuessed, paging, records_path
from platform_resources.services.starting.new_inputs import AskedSource
from platform_resources.services.starting.new_meshes import CannotBegin, new_mesh
from platform_resources.services.starting.new_products import thought_of, write
from platform_resources.spec.values.channel_urls import url_problem, without_secrets
from tests.capabilities.test_rest_rows import server  # noqa: F401
from tests.ledger.ledgers import plainly_named, postgres
from tests.refresh.running import mesh, running

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
ORDERS = """
create table orders (order_id bigint, amount_eur numeric(12,2), status text, mail text, updated_at timestamptz);
insert into orders select n, n + 0.25, case n % 2 when 0 then 'open' else 'paid' end, 'c' || n || '@example.com',
timestamptz '2026-06-01 12:00:00+02' + n * interval '1 hour' from generate_series(1, 40) n;
create schema archive; create table archive.orders as select * from orders where false;
"""


@pytest.fixture(scope="module")
def shop():
    """The address of a database with a table of orders."""
    with postgres() as server:  # noqa: F811
        engine = create_engine(server)
        with engine.begin() as connection:
            connection.execute(text(ORDERS))
        engine.dispose()
        socket = plainly_named(str(engine.url.query["host"]))
        yield f"postgresql://postgres:let-me-in@/postgres?host={socket}"
        os.unlink(socket)


@pytest.fixture
def root(tmp_path):
    new_mesh(tmp_path / "shop", None, None)
    return tmp_path / "shop"


def texts(root):
    return "\n".join(path.read_text() for path in root.rglob("*") if path.is_file() and path.suffix in (".yaml", ".md", ".sql"))


@pytest.mark.slow
def test_a_table_becomes_a_product_whose_password_is_written_nowhere(root, shop):
    done = mesh(root, "new", "product", "--yes", "--from", shop, "--table", "orders")
    assert (done.returncode, "published   orders" in done.stderr) == (0, True), done.stderr
    assert "set ORDERS_PASSWORD where refreshes run" in done.stderr
    document = (root / "dataproducts/shop/orders/product.yaml").read_text()
    for line in (
        "url: 'postgresql://postgres:${ORDERS_PASSWORD}@/",
        "# key: [order_id], cursor: updated_at, deletes: compare",
        "primary_key: [order_id]  # guess (high): unique in all 40 rows, and called like a key",
        "updated_at: updated_at  # guess (high)",
        "unit: EUR",
        "{name: mail, type: varchar, nullable: true, classification: personal}",
        "status is a known value",
    ):
        assert line in document, document
    assert "let-me-in" not in texts(root) and "let-me-in" not in done.stderr


TABLES = {
    "": r"postgresql://postgres:\${THINGS_PASSWORD}@.*: say which table with --table; known: orders",
    "ordres": 'has no table "ordres"; known: orders\ndid you mean "orders"?',
    "archive.orders": "the table archive.orders has no rows, so nothing can be guessed from it",
}


@pytest.mark.slow
@pytest.mark.parametrize(("table", "said"), TABLES.items(), ids=TABLES)
def test_a_table_that_tells_nothing_is_refused(root, shop, table, said):
    with pytest.raises(CannotBegin, match=said):
        thought_of(root, "shop", "things", AskedSource(shop, table), NOW)
    assert not list(root.glob("dataproducts/*/things"))


@pytest.mark.slow
def test_a_rest_interface_becomes_a_product_with_all_of_its_pages(root, server):  # noqa: F811
    address = f"http://127.0.0.1:{server.server_port}/links?token=let-me-in"
    new = thought_of(root, "shop", "tickets", AskedSource(address), NOW)
    write(root, new)
    assert (new.source.rows, new.variables) == (8, ("TICKETS_TOKEN",))
    assert "let-me-in" not in texts(root)
    assert "# guess (high): pagination, meta.next is the address of the next page" in texts(root)
    with running(root) as found:
        (done,) = found.refresh("tickets")
        assert (done.outcome, done.warnings) == ("published", ())
        assert found.rows("tickets", "select count(*), min(id), max(id) from tickets") == [(8, 0, 7)]


@pytest.mark.slow
def test_an_interface_that_refuses_or_that_is_told_wrongly_is_refused(root, server):  # noqa: F811
    address = f"http://127.0.0.1:{server.server_port}/whole"
    server.trouble = [(401, {})]
    with pytest.raises(CannotBegin, match=r"/whole cannot be read: HTTPError: 401 Client Error"):
        thought_of(root, "shop", "things", AskedSource(address), NOW)
    with pytest.raises(CannotBegin, match="known: url, pagination, page_options, records, params, headers, token"):
        thought_of(root, "shop", "things", AskedSource(address, fields={"recrods": "data.items"}), NOW)
    with pytest.raises(CannotBegin, match="--table is for a database"):
        thought_of(root, "shop", "things", AskedSource(address, "orders"), NOW)


TEN, THREE = [{"id": n} for n in range(10)], [{"id": n} for n in range(3)]
ANSWERS = {
    "a link in the headers": (THREE, True, "", {"pagination": "link-header"}, "high"),
    "a link in the answer": ({"data": THREE, "next": "/p2"}, False, "data", "next", "high"),
    "a link that is empty on the only page": ({"count": 3, "next": None, "results": THREE}, False, "results", "next", "low"),
    "a link beside others": (
        {"d": {"rows": THREE}, "links": {"next": {"href": "https://a/2"}}},
        False,
        "d.rows",
        "links.next.href",
        "high",
    ),
    "no hint of another page": ({"items": THREE, "errors": [], "total": 3}, False, "items", {"pagination": "none"}, "medium"),
    "a round number of records": (TEN, False, "", {"pagination": "none"}, "low"),
}


@pytest.mark.parametrize(("answer", "linked", "records", "fields", "confidence"), ANSWERS.values(), ids=ANSWERS)
def test_how_pages_follow_each_other_is_guessed_from_the_first(answer, linked, records, fields, confidence):
    wanted = fields if isinstance(fields, dict) else {"pagination": "next-link", "page_options": {"next_url_path": fields}}
    assert records_path(answer) == records
    found, guess = paging(answer, records, linked)
    assert (found, guess.confidence) == (wanted, confidence)


UNTOLD = {
    "no list": ({"id": 1}, "say where it is with --set records=PATH"),
    "no records": ({"items": []}, "say where it is with --set records=PATH"),
    "a cursor": (
        {"items": THREE, "next": "abc"},
        r"--set pagination=cursor --set 'page_options=\{cursor_path: next, cursor_param: NAME\}'",
    ),
    "more than there are": (
        {"items": THREE, "meta": {"total_count": 4}},
        "meta.total_count is 4, so there are more pages than the one with 3",
    ),
    "more pages": ({"items": THREE, "total_pages": 2}, "total_pages is 2, so there are more pages"),
}


@pytest.mark.parametrize(("answer", "said"), UNTOLD.values(), ids=UNTOLD)
def test_an_answer_that_tells_of_more_and_not_how_is_refused(answer, said):
    with pytest.raises(NotGuessed, match=said):
        paging(answer, records_path(answer), False)


ADDRESSES = {
    "postgresql://db/shop": ("postgresql://db/shop", {}),
    "postgresql://ada:a%40b@db:5432/shop?sslmode=require": (
        "postgresql://ada:${SHOP_PASSWORD}@db:5432/shop?sslmode=require",
        {"SHOP_PASSWORD": "a%40b"},
    ),
    "postgresql://ada:${PW}@db/shop": ("postgresql://ada:${PW}@db/shop", {}),
    "https://a/v1?page=1&X-Api-Key=abc&day=2": ("https://a/v1?page=1&X-Api-Key=${SHOP_X_API_KEY}&day=2", {"SHOP_X_API_KEY": "abc"}),
    "mssql+pyodbc:///?odbc_connect=Driver%3DODBC%3BUID%3Dsa%3BPWD%3Dhunter2": (
        "${SHOP_URL}",
        {"SHOP_URL": "mssql+pyodbc:///?odbc_connect=Driver%3DODBC%3BUID%3Dsa%3BPWD%3Dhunter2"},
    ),
    "https://a/hooks/T024BE7LDxxxxxxxxx1": ("${SHOP_URL}", {"SHOP_URL": "https://a/hooks/T024BE7LDxxxxxxxxx1"}),
}


@pytest.mark.parametrize(("url", "expected"), ADDRESSES.items(), ids=ADDRESSES)
def test_what_is_secret_of_an_address_becomes_a_variable_and_is_filled_in_again(url, expected, monkeypatch):
    found = without_secrets(url, "SHOP")
    for name, value in found[1].items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PW", "${PW}")
    assert (found, url_problem(found[0]), filled(found[0])) == (expected, None, url)


@pytest.mark.slow
def test_a_field_of_the_port_that_is_no_yaml_is_refused_with_the_form(root):
    done = mesh(root, "new", "product", "--yes", "--from", "x.csv", "--set", "options")
    assert (done.returncode, "--set options: write FIELD=VALUE" in done.stderr) == (3, True)
    (root / "x.csv").write_bytes("id,v\n1,3 €\n".encode("cp1252"))
    assert "such as --set 'options={encoding: cp1252}'" in mesh(root, "new", "product", "--yes", "--from", str(root / "x.csv")).stderr


def test_a_database_in_a_file_that_is_not_there_is_refused_and_none_is_made(root, tmp_path):
    with pytest.raises(CannotBegin, match="cannot be read: there is no file "):
        thought_of(root, "shop", "orders", AskedSource(f"sqlite:///{tmp_path}/none.db", "orders"), NOW)
    assert not (tmp_path / "none.db").exists()
