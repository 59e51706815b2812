"""Secrets in errors of sources, dbt and databases: planted in every way, and then looked for in every file, table and output."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, unquote

import pytest

from tests.meshes import component, model_file, product_file, product_yaml, write_mesh
from tests.refresh.running import mesh

pytestmark = pytest.mark.slow

WRITTEN = "Wr1tten-C4nary"
RESOLVED = "Res0lved/C4nary+x"
ENVIRONMENT = {
    "CRM_LOGIN": RESOLVED,
    "WAREHOUSE_PASSWORD": f"{RESOLVED}-2",
    "HOOK": f"json://127.0.0.1:9/{RESOLVED}-3",
}
CANARIES = (WRITTEN, RESOLVED, quote(RESOLVED, safe=""))
DOMAIN = """
title: Shop
owners: {business: a@example.com, technical: team:x}
channels: {alerts: {url: "${HOOK}"}}
routes: [{channel: alerts, for: owner}, {channel: alerts, for: subscriber}]
incidents: {wait: 1s}
"""
EXTRACTORS = {
    "an_address_and_a_keyword": f"""
    raise ConnectionError("to postgresql://crm:{WRITTEN}@db:5432/crm; password='{WRITTEN}'")
""",
    "chained": """
    try:
        raise PermissionError(f"login with {os.environ['CRM_LOGIN']}")
    except PermissionError as error:
        raise RuntimeError("no orders today") from error
""",
    "in_its_repr": """
    class Refused(Exception):
        def __repr__(self):
            return f"Refused({os.environ['CRM_LOGIN']!r})"
    error = RuntimeError(f"answered {Refused()!r}")
    error.add_note(f"sent {quote(os.environ['CRM_LOGIN'], safe='')}")
    raise error
""",
    "escaped": """
    raise ValueError(f"GET https://api.example.com/?login={quote(os.environ['CRM_LOGIN'], safe='')}&page=2 answered 401")
""",
    "printed": """
    print("logging in with", os.environ["CRM_LOGIN"])
    logging.getLogger("crm").error("headers %s", {"Authorization": f"Bearer {os.environ['CRM_LOGIN']}"})
    warnings.warn(f"weak: {os.environ['CRM_LOGIN']}")
    try:
        raise KeyError(os.environ["CRM_LOGIN"])
    except KeyError:
        logging.getLogger("crm").exception("no %s", "login")
    raise ValueError("see above")
""",
    "that_leaves": """
    sys.exit(f"no rights for {os.environ['CRM_LOGIN']}")
""",
    "that_returns_what_cannot_be_read": f"""
    return extraction.connection.sql("select 1 as id union all select error('token={WRITTEN}')::int")
""",
    "of_a_variable_that_no_file_names": """
    name = "WAREHOUSE" + "_" + "PASSWORD"
    raise ValueError(f"{os.environ[name]} was refused")
""",
    "that_hands_over": """
    return extraction.connection.sql("select 1 as id")
""",
}
HEAD = "import logging, os, sys, warnings\nfrom urllib.parse import quote\n\ndef read(extraction):"
MODELS = {
    "a_model_that_fails": "select error('login {{ env_var(\"CRM_LOGIN\") }}')::bigint as id from {{ source('inputs', 'crm') }}",
    "a_model_with_an_address": f"select id from {{{{ source('inputs', 'crm') }}}} join read_csv('nowhere/x.csv?password={WRITTEN}') using (id)",
    "a_model_that_does_not_compile": "{{ exceptions.raise_compiler_error('login ' ~ env_var('CRM_LOGIN')) }}",
    "a_model_whose_test_fails": "select 1::bigint as id from {{ source('inputs', 'crm') }}",
    "a_model_that_is_well": "select id::bigint as id from {{ source('inputs', 'crm') }}",
}


def _product(name: str, *more: str, port: str = 'interface: python\nextractor: "extract:read"') -> str:
    parts = [component("crm", "input-port", port), component(f"m_{name}", "data-set", "columns: [{name: id, type: bigint}]")]
    return product_yaml(name, "shop", *parts, component("out", "output-port", "interface: sql"), *more, title=f"{name}")


def _files() -> Iterator[tuple[str, str]]:
    yield "dataproducts/shop/domain.yaml", DOMAIN
    well = EXTRACTORS["that_hands_over"]
    for name, body in EXTRACTORS.items():
        yield product_file("shop", name), _product(name)
        yield f"dataproducts/shop/{name}/extract.py", f"{HEAD}{body}"
        yield model_file("shop", name, f"m_{name}"), "select id::bigint as id from {{ source('inputs', 'crm') }}"
    for name, sql in MODELS.items():
        listed = f"id in (select id from read_csv('nowhere/x.csv?password={WRITTEN}'))"
        objective = f"dimension: custom-sql\ndata_set: m_{name}\nfailing_rows: {listed}"
        yield product_file("shop", name), _product(name, component("Nothing is listed", "service-level-asset", objective))
        yield f"dataproducts/shop/{name}/extract.py", f"{HEAD}{well}"
        yield model_file("shop", name, f"m_{name}"), sql
    failing = "select * from {{ ref('m_a_model_whose_test_fails') }} where error('login {{ env_var(\"CRM_LOGIN\") }}')::bigint = id"
    yield "dbt_project/tests/shop/a_model_whose_test_fails/no_login.sql", failing
    yield product_file("shop", "a_path"), _product("a_path", port=f"interface: file\npath: https://crm:{WRITTEN}@files.example.com/x.csv")
    yield model_file("shop", "a_path", "m_a_path"), "select id::bigint as id from {{ source('inputs', 'crm') }}"


REASONS = {
    "an_address_and_a_keyword": "ConnectionError: to postgresql://crm:***@db:5432/crm; password='***'",
    "chained": "RuntimeError: no orders today",
    "in_its_repr": "RuntimeError: answered Refused('***')",
    "escaped": "ValueError: GET https://api.example.com/?login=***&page=2 answered 401",
    "printed": "ValueError: see above",
    "that_leaves": "SystemExit: no rights for ***",
    "that_returns_what_cannot_be_read": "Invalid Input Error: token=***",
    "of_a_variable_that_no_file_names": "ValueError: *** was refused",
    "a_path": "no file matches https://crm:***@files.example.com/x.csv",
    "a_model_that_fails": "login ***",
    "a_model_with_an_address": "nowhere/x.csv?password=***",
    "a_model_that_does_not_compile": "login ***",
    "a_model_whose_test_fails": "login ***",
    "a_model_that_is_well": "failing could not be measured",
}


def test_no_secret_of_an_error_is_in_any_output_or_file_or_table(tmp_path):
    root = write_mesh(tmp_path, dict(_files()))
    done = mesh(root, "refresh", "--all", "--json", **ENVIRONMENT)
    told = {each["product"]: "; ".join((*each["reasons"], *each["warnings"])) for each in json.loads(done.stdout)}
    assert {name: told.get(name) for name, reason in REASONS.items() if reason not in told.get(name, "")} == {}
    assert "logging in with ***" in done.stderr
    texts = [done.stdout, done.stderr]
    for command in (
        "refresh a_model_that_fails", "status", "status a_model_with_an_address", "incidents", "notifications --json",
        "channels --test alerts", f"query a_model_that_is_well select+*+from+read_csv('nowhere/x.csv?password={WRITTEN}')",
    ):  # fmt: skip
        done = mesh(root, *(word.replace("+", " ") for word in command.split()), **ENVIRONMENT)
        texts += [done.stdout, done.stderr]
    assert [shown for text in texts for shown in _shown(text.encode())] == []
    assert list(_left_behind(root)) == []


def _left_behind(root: Path) -> Iterator[str]:
    """Where a canary is in what the platform wrote; what people wrote is theirs."""
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        place = path.relative_to(root)
        if place.parts[0] == "dataproducts" or (place.parts[0] == "dbt_project" and place.parts[1] != "target"):
            continue
        # What dbt remembers of the parse repeats the models as people wrote them.
        content = path.read_bytes().replace(WRITTEN.encode(), b"") if path.suffix == ".msgpack" else path.read_bytes()
        yield from (f"{place}: {shown}" for shown in _shown(content))
        if path.read_bytes().startswith(b"SQLite format 3"):
            yield from (f"{place}, {shown}" for shown in _in_tables(path))


def _in_tables(file: Path) -> Iterator[str]:
    """A text may be torn over several pages of the file."""
    with sqlite3.connect(file) as connection:
        tables = [name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")]
        for table in tables:
            for row in connection.execute(f'select * from "{table}"'):
                yield from (f"{table}: {shown}" for value in row for shown in _shown(_bytes(value)))


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def _shown(content: bytes) -> list[str]:
    text = content.decode("utf-8", "replace")
    found = [canary for canary in CANARIES if canary in text or canary in unquote(text)]
    return [f"{canary} in …{text[max(0, text.find(canary) - 120) :][:240]}…" for canary in found]
