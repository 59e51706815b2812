"""A product by a form: from a file or a table, over corrections and a first version, to a patch; for whom it is; and what hostile people send."""

import gzip
import re
import shutil
import subprocess
import sys
import threading
from datetime import timedelta
from html import unescape
from http.server import ThreadingHTTPServer

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import create_engine
from sqlalchemy import text as sql_text

from platform_resources.dbt.planning import read_plan
from platform_resources.marketplace.people.auth_settings import auth_settings
from platform_resources.scaffolding.patches import new_files_patch
from platform_resources.services.starting import draft_process, kept_drafts
from platform_resources.services.starting.draft_process import Draft, draft_answer
from platform_resources.services.starting.kept_drafts import DRAFTS, LARGEST_UPLOAD, MOST_DRAFTS
from platform_resources.services.starting.new_meshes import CannotBegin
from platform_resources.settings import TARGET
from tests.capabilities.test_rest_rows import Handler
from tests.forked_commands import program
from tests.ledger.ledgers import new_database
from tests.marketplace.test_people import BEHIND_PROXY, as_, browser, token
from tests.marketplace.test_product_pages import text

pytestmark = pytest.mark.slow
# Who owns the domain plant, who runs the platform, and who owns a product of it alone.
LEAD, PLATFORM, EVE = as_("plant-manager@example.com"), as_("pat@example.com", "platform"), as_("eve@example.com")
CSV = "order_id,e-mail,amount\n" + "".join(f"{n},p{n}@example.com,{n * 1.5}\n" for n in range(60))


@pytest.fixture(scope="module")
def mesh(made_shop, tmp_path_factory):
    root = shutil.copytree(made_shop, tmp_path_factory.mktemp("new") / "mesh", symlinks=True)
    domain = root / "dataproducts/plant/domain.yaml"
    domain.write_text(f"{domain.read_text()}\nowners: {{business: plant-manager@example.com}}\n")
    return root


@pytest.fixture(scope="module", autouse=True)
def forked_drafts(tmp_path_factory):
    """What looks at a draft is a process of its own here too, without the seconds that imports take."""
    text = "from platform_resources.services.starting.draft_process import main; main()"
    runner = program(tmp_path_factory.mktemp("programs") / "draft", text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(draft_process, "_RUNNER", (str(runner),))
        yield


@pytest.fixture(scope="module")
def pages(mesh):
    with browser(mesh, auth_settings(BEHIND_PROXY)) as client:
        yield client


def upload(pages, name, content, who=LEAD, **fields):
    form = token(pages.get("/tokens", headers=who).text)
    data = {"token": form, "domain": "plant", **fields}
    return pages.post("/new", data=data, files={"file": (name, content)} if name else {"file": ("", b"")}, headers=who)


def fields_of(page):
    """What a browser would send of the form as it stands."""
    sent = dict(re.findall(r'<input (?:type="hidden" )?name="([^"]+)" value="([^"]*)"', page))
    sent |= dict(re.findall(r'<input id="[^"]+" name="([^"]+)" [^>]*value="([^"]*)"', page))
    sent |= dict.fromkeys(re.findall(r'type="checkbox" name="([^"]+)" value="yes" checked', page), "yes")
    for name, options in re.findall(r'<select (?:id="[^"]+" )?name="([^"]+)"[^>]*>(.*?)</select>', page, re.DOTALL):
        chosen = re.search(r'<option(?: value="([^"]*)")? selected>([^<]*)<', options)
        sent[name] = (chosen[1] or chosen[2]) if chosen else ""
    return sent


def test_a_file_becomes_a_patch_that_git_applies_to_a_mesh_which_publishes_it(pages, mesh, tmp_path):
    begun = upload(pages, "Our Orders.csv", CSV)
    assert begun.status_code == 303, text(begun.text)
    draft = begun.headers["location"]
    page = pages.get(draft, headers=LEAD).text
    assert "personal (high): most values look like an e-mail address" in text(page) and "p1@example.com" not in page
    sent = fields_of(page)
    assert (sent["name-0"], sent["type-0"], sent["key-0"], sent["class-1"]) == ("order_id", "bigint", "yes", "personal")

    promise = next(name for name, value in sent.items() if value.startswith("validity ") and value.endswith(" 2"))
    del sent[promise.replace("promise", "wanted")]
    sent |= {"title": "Our <b>orders</b>", "type-2": "decimal(18,2)", "name-2": "net_amount", "class-2": "internal"}
    shown = pages.post(draft, data={**sent, "do": "preview"}, headers=LEAD)
    assert "It would be published." in text(shown.text) and "p1@example.com" not in shown.text and "hidden" in shown.text
    assert "order_id is unique in 100 % of 60 rows" in text(shown.text) and "<b>orders" not in shown.text
    assert "net_amount" in shown.text and pages.get("/products/our_orders", headers=LEAD).status_code == 404

    patch = pages.post(draft, data={**sent, "do": "patch"}, headers=LEAD)
    assert patch.headers["content-disposition"] == 'attachment; filename="our_orders.patch"' and "p1@example.com" not in patch.text
    copy = shutil.copytree(mesh, tmp_path / "copy", ignore=shutil.ignore_patterns("ports", "warehouse", ".mesh", ".dagster"))
    (tmp_path / "our.patch").write_text(patch.text)
    subprocess.run(["git", "init", "-q"], cwd=copy, check=True)
    subprocess.run(["git", "apply", str(tmp_path / "our.patch")], cwd=copy, check=True)
    plan, problems = read_plan(copy, only=["our_orders"])
    product = plan.product("our_orders")
    assert product.title == "Our <b>orders</b>" and not [each for each in problems if "our_orders" in each.file]
    assert {column.name: column.type for column in product.data_set("our_orders").spec.columns}["net_amount"] == "decimal(18,2)"
    assert [check.title for check in product.checks if "in its range" in check.title] == [], "also under the column's new name"

    pages.post(draft, data={"token": sent["token"], "do": "forget"}, headers=LEAD)
    assert pages.get(draft, headers=LEAD).status_code == 404


def test_what_cannot_be_is_told_and_nothing_typed_is_lost(pages):
    draft = upload(pages, "sizes.csv", "id,size\n1,2\n2,3\n").headers["location"]
    sent = fields_of(pages.get(draft, headers=LEAD).text)
    wrong = {**sent, "name-1": "ID", "type-1": "strng", "class-0": "secret", "title": "kept", "updated_at": "7", "do": "patch"}
    answer = pages.post(draft, data=wrong, headers=LEAD)
    assert answer.status_code == 422 and 'value="kept"' in answer.text
    for said in ('unknown column type "strng"', 'no class "secret"', "more than one column is called id"):
        assert said in unescape(text(answer.text))
    braces = pages.post(draft, data={**sent, "name-1": "{{ env_var('HOME') }}", "do": "preview"}, headers=LEAD)
    assert "a name has no braces" in text(braces.text)
    less = {name: value for name, value in sent.items() if not name.endswith("-1")}
    assert "the source has 2 columns by now, and 1 were told" in text(pages.post(draft, data=less, headers=LEAD).text)


def test_a_promise_that_the_data_do_not_keep_closes_the_gate_of_the_first_version(pages):
    rows = "".join(f"{n % 30},{n}\n" for n in range(60))
    draft = upload(pages, "twice.csv", f"kind,amount\n{rows}").headers["location"]
    sent = {name: value for name, value in fields_of(pages.get(draft, headers=LEAD).text).items() if not name.startswith("key-")}
    shown = pages.post(draft, data={**sent, "key-0": "yes", "do": "preview"}, headers=LEAD)
    assert "It would not be published: a promise that is a gate is missed." in text(shown.text)


def test_only_owners_of_a_domain_and_the_platform_begin_and_each_sees_their_own_drafts(pages):
    assert [pages.get("/new", headers=who).status_code for who in (LEAD, PLATFORM, EVE)] == [200, 200, 403]
    assert upload(pages, "a.csv", "id\n1\n", EVE).status_code == 403
    assert 'value="office"' in pages.get("/new", headers=PLATFORM).text and 'value="office"' not in pages.get("/new", headers=LEAD).text
    refused = upload(pages, "a.csv", "id\n1\n", domain="office")
    assert refused.status_code == 422 and "choose a domain that is yours" in text(refused.text)
    draft = upload(pages, "a.csv", "id\n1\n2\n").headers["location"]
    assert [pages.get(draft, headers=who).status_code for who in (LEAD, PLATFORM, EVE)] == [200, 404, 404]
    assert pages.post(draft, data={"token": "0" * 64, "do": "forget"}, headers=LEAD).status_code == 403
    assert pages.post("/new", data={"token": "0" * 64}, files={"file": ("a.csv", "id\n1\n")}, headers=LEAD).status_code == 403
    assert pages.get("/new/..%2F..%2Fledger", headers=LEAD).status_code == 404


SOURCES = """sources:
  shop: {{interface: sql-database, url: '${{B_SHOP}}', schema: sales}}
  till: {{interface: sql-database, url: '${{B_SHOP}}', table: orders}}
  gone: {{interface: sql-database, url: 'postgresql://127.0.0.1:1/none'}}
  tickets: {{interface: rest, url: 'http://127.0.0.1:{port}/links'}}
  lost: {{interface: rest, url: 'http://127.0.0.1:{port}/cursor'}}
"""
ORDERS = """
create schema sales; create schema private;
create table sales.orders as select n as order_id, 'p' || n || '@example.com' as mail, n * 1.5 as amount from generate_series(1, 30) n;
create table private.pay as select 1 as salary; create table public.orders as select 1 as order_id; create table public.other as select 1 as n;
"""


@pytest.fixture(scope="module")
def declared(mesh, pages, postgres_server):
    """The form of a mesh whose domain declares tables of a real PostgreSQL and interfaces of a real server; begins and shows a draft."""
    domain = mesh / "dataproducts/plant/domain.yaml"
    before = domain.read_text()
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as rest, pytest.MonkeyPatch.context() as patch:
        rest.asked, rest.trouble, rest.away, rest.etag = [], [], "", ""
        rest.records = [{"id": n, "name": f"n{n}"} for n in range(8)]
        threading.Thread(target=rest.serve_forever, daemon=True).start()
        address = new_database(postgres_server)
        engine = create_engine(address)
        with engine.begin() as connection:
            connection.execute(sql_text(ORDERS))
        engine.dispose()
        patch.setenv("B_SHOP", address)
        domain.write_text(before + SOURCES.format(port=rest.server_port))

        def begun(source, table="", name=""):
            form = token(pages.get("/tokens", headers=LEAD).text)
            sent = {"token": form, "source": f"plant/{source}", "table": table, "name": name}
            answer = pages.post("/new", data=sent, headers=LEAD)
            return answer if answer.status_code == 422 else pages.get(answer.headers["location"], headers=LEAD)

        yield begun
        rest.shutdown()
        domain.write_text(before)


def test_a_table_of_a_declared_source_is_looked_at_published_for_a_look_and_given_as_a_patch_without_guesses(declared, pages):
    page = declared("shop", "orders")
    assert page.status_code == 200 and "30 rows of the table orders of shop" in text(page.text), text(page.text)
    assert "personal (high)" in text(page.text) and "p1@example.com" not in page.text
    draft, sent = str(page.url.path), fields_of(page.text)
    shown = pages.post(draft, data={**sent, "do": "preview"}, headers=LEAD)
    assert "It would be published." in text(shown.text) and "p1@example.com" not in shown.text
    patch = pages.post(draft, data={**sent, "do": "patch"}, headers=LEAD).text
    assert "+      properties: {interface: source, source: shop, read: {table: orders}}" in patch
    marks = [line for line in patch.splitlines() if "guess (" in line or "guess:" in line]
    assert marks == [] and "+        primary_key: [order_id]\n" in patch, "what somebody has confirmed is no guess"


def test_a_rest_interface_that_is_declared_becomes_a_product_with_all_of_its_pages(declared, pages):
    page = declared("tickets", name="tickets")
    assert page.status_code == 200 and "8 rows of the REST interface" in text(page.text), text(page.text)
    shown = pages.post(str(page.url.path), data={**fields_of(page.text), "do": "preview"}, headers=LEAD)
    assert "It would be published." in text(shown.text), text(shown.text)


REFUSED = {
    "no table": ("shop", "", "say which table; known: orders"),
    "no such table": ("shop", "ordres", 'has no table "ordres"; known: orders did you mean "orders"?'),
    "a table of another schema": ("shop", "private.pay", "the source is of schema sales, and private.pay lies in private"),
    "a table beside the declared one": ("till", "other", "till declares the table orders; leave the table empty"),
    "no database": ("gone", "orders", "cannot be read: OperationalError"),
    "a table of an interface": ("tickets", "orders", "a table is for a database"),
    "pages that cannot be guessed": ("lost", "", "say so with pagination=cursor"),
}


@pytest.mark.parametrize(("source", "table", "said"), REFUSED.values(), ids=REFUSED)
def test_what_a_source_does_not_declare_is_not_shown_and_why_is_told(declared, source, table, said):
    page = declared(source, table, name="refused")
    told = " ".join(unescape(text(page.text)).split())
    assert page.status_code == 422 and said in told and "salary" not in told, told
    assert 'role="alert"' in page.text and "--table" not in told and "--set" not in told and "Traceback" not in told


def test_how_a_file_is_read_can_be_said_and_nothing_else(pages):
    """As `mesh new product --set` has it: no other place, and no secret of the platform."""
    content = "id|size\n1|2,5\n2|3,5\n".encode("utf-16")
    page = pages.get(upload(pages, "piped.csv", content, fields='options={delim: "|", encoding: utf-16}').headers["location"], headers=LEAD)
    assert page.status_code == 200 and "2 rows of" in text(page.text), text(page.text)
    answer = pages.post(str(page.url.path), data={**fields_of(page.text), "do": "patch"}, headers=LEAD)
    assert 'delim: "|"' in answer.text.replace("'", '"') and "utf-16" in answer.text
    for said, why in (
        ("path=/etc/passwd", "path cannot be said here"),
        ("manifest=x", "manifest cannot"),
        ('options={quote: "${HOME}"}', "secret"),
    ):
        refused = pages.get(upload(pages, "sizes.csv", "id\n1\n", fields=said).headers["location"], headers=LEAD)
        assert refused.status_code == 422 and why in text(refused.text)
    for said in ("delim", "cursor=2026-02-30"):
        assert "write FIELD=VALUE" in text(upload(pages, "sizes.csv", "id\n1\n", fields=said).text)


HOSTILE = {
    "no file": ("", b"", "choose either a file or a source"),
    "an ending": ("a.exe", b"MZ", "a file ends in .csv"),
    "a spreadsheet": ("a.xlsx", b"PK", "save a table of a spreadsheet as CSV"),
}


@pytest.mark.parametrize(("name", "content", "said"), HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_file_of_data_is_not_taken(pages, name, content, said):
    answer = upload(pages, name, content)
    assert answer.status_code == 422 and said in text(answer.text)


UNREADABLE = {
    "no rows": ("a.csv", b"id,size\n", "has no rows"),
    "no UTF-8": ("a.csv", b"id,size\n1,\x80\n", "a.csv, line 2: it is not written in UTF-8; save it in UTF-8"),
    "no Parquet": ("a.parquet", b"PAR1 and then nothing", "cannot be loaded"),
    "no JSON": ("a.json", b"{", "cannot be loaded"),
    "a bomb": ("a.csv.gz", gzip.compress(b"id\n" + b"x" * (LARGEST_UPLOAD * 30)), "cannot be loaded"),
    "a path": ("../../../../etc/passwd.csv", b"id\n1\n2\n", ""),
    "a name of harm": ("<script>alert(1)</script>.csv", b"id\n1\n2\n", ""),
    "nothing left of the name": ("!!!.csv", b"id\n1\n", "is no name of a product"),
    "a product that is there": ("readings.csv", b"id\n1\n", "there already"),
    "harm in names": ("harm.csv", b'<script>x</script>,"{{ 1/0 }}",\'; drop\n1,2,3\n4,5,6\n', ""),
}


@pytest.mark.parametrize(("name", "content", "said"), UNREADABLE.values(), ids=UNREADABLE)
def test_hostile_files_do_no_harm(pages, mesh, name, content, said):
    begun = upload(pages, name, content)
    page = pages.get(begun.headers["location"], headers=LEAD)
    assert page.status_code == (422 if said else 200) and said in text(page.text)
    assert "<script>" not in page.text and "root:" not in page.text and "drafts/" not in text(page.text).replace("/new/drafts/", "")
    assert not (mesh / "dataproducts/plant/harm").exists()


def test_what_is_too_large_is_refused_before_it_is_read(pages):
    assert upload(pages, "large.csv", b"x" * (LARGEST_UPLOAD + 100_000)).status_code == 413
    assert pages.post("/tokens", content=b"x" * 100_000, headers=LEAD).status_code == 413


def test_a_file_that_takes_too_long_or_too_much_memory_is_given_up(mesh, tmp_path, monkeypatch):
    file = tmp_path / "upload.csv"
    file.write_text(CSV)
    draft = Draft("plant", "slow", file=str(file))
    monkeypatch.setattr(draft_process, "TIME", timedelta(milliseconds=10))
    with pytest.raises(CannotBegin, match="it takes longer than"):
        draft_answer(mesh, draft)
    monkeypatch.setattr(draft_process, "TIME", timedelta(minutes=2))
    monkeypatch.setattr(draft_process, "_RUNNER", (sys.executable, "-c", "import os; os.abort()"))
    with pytest.raises(CannotBegin, match="take more memory than there is"):
        draft_answer(mesh, draft)


def test_drafts_are_few_and_end(pages, mesh, monkeypatch):
    made = [
        upload(pages, f"few_{number}.csv", "id\n1\n2\n", PLATFORM).headers["location"].rsplit("/")[-1] for number in range(MOST_DRAFTS + 1)
    ]
    left = {path.name for path in (mesh / DRAFTS).glob("*/*")}
    assert made[-1] in left and made[0] not in left
    monkeypatch.setattr(kept_drafts, "KEPT_FOR", timedelta(0))
    newest = upload(pages, "few.csv", "id\n1\n2\n", PLATFORM).headers["location"].rsplit("/")[-1]
    assert not {*made} & {path.name for path in (mesh / DRAFTS).glob("*/*")} and newest
    assert pages.get(f"/new/{newest}", headers=PLATFORM).status_code == 404
    kept_drafts.forget_old(mesh)
    assert not list((mesh / DRAFTS).glob("*/*")), "also of those who never come back"
    assert pages.get(f"/new/{'a' * 300}", headers=PLATFORM).status_code == 404


def test_a_first_version_is_published_in_no_account(mesh, tmp_path, monkeypatch):
    file = tmp_path / "upload.csv"
    file.write_text(CSV)
    monkeypatch.setenv(TARGET.name, "snowflake")
    assert draft_answer(mesh, Draft("plant", "nowhere", file=str(file)), preview=True)["preview"]["outcome"] == "published"


def test_a_patch_holds_texts_and_files_of_any_bytes(tmp_path):
    pq.write_table(pa.table({"n": list(range(5000))}), tmp_path / "data.parquet")
    files = {
        "a/text.yaml": "one\ntwo\n",
        "a/no_end": "one",
        "a/empty.txt": "",
        "b/data.parquet": (tmp_path / "data.parquet").read_bytes(),
        "b/latin.csv": "größe\r\n1\r\n".encode("latin-1"),
        "b/none": b"",
    }
    subprocess.run(["git", "init", "-q", "repository"], cwd=tmp_path, check=True)
    (tmp_path / "new.patch").write_text(new_files_patch(files))
    subprocess.run(["git", "apply", "../new.patch"], cwd=tmp_path / "repository", check=True)
    for path, content in files.items():
        assert (tmp_path / "repository" / path).read_bytes() == (content.encode() if isinstance(content, str) else content)
