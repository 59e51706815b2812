"""`mesh classify`: guesses of a published version, and what --write makes of product.yaml."""

import json
from datetime import UTC, datetime

import pytest
import yaml
from typer.testing import CliRunner

from platform_resources.cli.app import app
from platform_resources.dbt.planning import read_plan
from platform_resources.refresh.publishing import Candidate, publish
from platform_resources.warehouses.duckdb.product_database import opened
from tests.meshes import component, product_file, product_yaml, write_mesh

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
COLUMNS = """
classification: internal
columns:
  # the key
  - {name: id, type: bigint}
  - {name: contact, type: varchar}  # how we reach them
  - name: phone
    type: varchar
    description: As it was typed in.
  - {name: salary, type: integer, classification: internal}
"""
ROWS = """
create or replace table internal.customers as
select n as id, 'person' || n || '@example.com' as contact, '+49 30 12345' || n as phone, 1000 * n as salary, 'a' || n || '@b.de' as extra
from range(10, 60) as numbers(n)
"""
FILE = product_file("crm", "customers")


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    parts = [component("customers", "data-set", COLUMNS)]
    parts += [component("customers_file", "output-port", "interface: file\nformat: parquet\ndata_set: customers")]
    files = {FILE: product_yaml("customers", "crm", *parts), "dbt_project/models/crm/customers/customers.sql": "select 1 as id\n"}
    root = write_mesh(tmp_path_factory.mktemp("classify"), files)
    product = read_plan(root)[0].product("customers")
    with opened(root / "customers.duckdb") as database:
        database.connection.execute(ROWS)
        publish(database, Candidate(product, root, NOW, "run", "print"), {})
    return root


def mesh(root, *arguments):
    return CliRunner().invoke(app, ["--root", str(root), *arguments])


def test_guesses_are_printed_without_a_value_and_written_where_nobody_has_said_a_class(published):
    answer = mesh(published, "classify", "customers", "--json")
    found = json.loads(answer.stdout)
    assert [(each["column"], each["classification"], each["confidence"], each["now"]) for each in found] == [
        ("contact", "personal", "high", "internal"),
        ("phone", "personal", "high", "internal"),
        ("salary", "sensitive", "high", "internal"),
        ("extra", "personal", "high", "unclassified"),
    ]
    assert "example.com" not in answer.stdout
    before = (published / FILE).read_text()
    written = mesh(published, "classify", "customers", "--write")
    assert "2 classifications are written" in written.stderr + written.stdout
    after = (published / FILE).read_text()
    assert (
        after.replace(", classification: personal}  #", "}  #").replace("- classification: personal\n            name", "- name") == before
    )
    columns = yaml.safe_load(after)["spec"]["components"][2]["properties"]["columns"]
    assert [each.get("classification") for each in columns] == [None, "personal", "personal", "internal"]


def test_a_product_that_has_published_nothing_is_told_so(published):
    text = (published / FILE).read_text().replace("name: customers\n      type: data-product", "name: nothing\n      type: data-product")
    (published / product_file("crm", "nothing")).parent.mkdir()
    (published / product_file("crm", "nothing")).write_text(text.replace("lifecycle: draft", "lifecycle: proposed"))
    answer = mesh(published, "classify", "nothing")
    assert answer.exception.code == 3
