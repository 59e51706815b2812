"""Secrets in errors of sources, dbt and databases: planted in every way, and then looked for in every file, table and output."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, unquote

import pytest

from tests.meshes import REPOSITORY, component, model_file, product_file, product_yaml, write_mesh
from tests.refresh.running import environment, mesh, mesh_from_a_shell

pytestmark = pytest.mark.slow

WRITTEN = "Wr1tten-C4nary"
RESOLVED = "Res0lved/C4nary+x"
ENVIRONMENT = {
    "CRM_LOGIN": RESOLVED,
    "WAREHOUSE_PASSWORD": f"{RESOLVED}-2",
    "HOOK": f"json://127.0.0.1:9/{RESOLVED}-3",
    "CRM_ONCE": f"{RESOLVED}-4",
    "CRM_PAGE": "N3xt-C4nary",
}
CANARIES = (WRITTEN, RESOLVED, quote(RESOLVED, safe=""), ENVIRONMENT["CRM_PAGE"])
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
    "of_a_variable_that_is_taken_away": """
    raise ValueError(f"{os.environ.pop('CRM_ONCE')} was refused")
""",
    "of_a_variable_that_is_set_later": f"""
    os.environ["CRM_LATER"] = "{WRITTEN}"
    print("login", os.environ["CRM_LATER"])
    raise ValueError(f"{{os.environ['CRM_LATER']}} was refused")
""",
    "that_remembers": """
    assert extraction.cursor in (None, f"page {os.environ['CRM_PAGE']}"), "another cursor"
    data = extraction.connection.sql(f"select {1 if extraction.cursor is None else 2} as id")
    return Extracted(data, f"page {os.environ['CRM_PAGE']}")
""",
    "that_hands_over": """
    return extraction.connection.sql("select 1 as id")
""",
}
HEAD = """
import logging, os, sys, warnings
from urllib.parse import quote
from platform_resources.capabilities.protocols import Extracted

def read(extraction):"""
MODELS = {
    "a_model_that_fails": "select error('login {{ env_var(\"CRM_LOGIN\") }}')::bigint as id from {{ source('a_model_that_fails', 'crm') }}",
    "a_model_with_an_address": f"select id from {{{{ source('a_model_with_an_address', 'crm') }}}} join read_csv('nowhere/x.csv?password={WRITTEN}') using (id)",
    "a_model_that_does_not_compile": "{{ exceptions.raise_compiler_error('login ' ~ env_var('CRM_LOGIN')) }}",
    "a_model_whose_test_fails": "select 1::bigint as id from {{ source('a_model_whose_test_fails', 'crm') }}",
    "a_model_that_is_well": "select id::bigint as id from {{ source('a_model_that_is_well', 'crm') }}",
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
        yield model_file("shop", name, f"m_{name}"), f"select id::bigint as id from {{{{ source('{name}', 'crm') }}}}"
    for name, sql in MODELS.items():
        listed = f"id in (select id from read_csv('nowhere/x.csv?password={WRITTEN}'))"
        objective = f"dimension: custom-sql\ndata_set: m_{name}\nfailing_rows: {listed}"
        yield product_file("shop", name), _product(name, component("Nothing is listed", "service-level-asset", objective))
        yield f"dataproducts/shop/{name}/extract.py", f"{HEAD}{well}"
        yield model_file("shop", name, f"m_{name}"), sql
    failing = "select * from {{ ref('m_a_model_whose_test_fails') }} where error('login {{ env_var(\"CRM_LOGIN\") }}')::bigint = id"
    yield "dbt_project/tests/shop/a_model_whose_test_fails/no_login.sql", failing
    yield product_file("shop", "a_path"), _product("a_path", port=f"interface: file\npath: https://crm:{WRITTEN}@files.example.com/x.csv")
    yield model_file("shop", "a_path", "m_a_path"), "select id::bigint as id from {{ source('a_path', 'crm') }}"


REASONS = {
    "an_address_and_a_keyword": "ConnectionError: to postgresql://crm:***@db:5432/crm; password='***'",
    "chained": "RuntimeError: no orders today",
    "in_its_repr": "RuntimeError: answered Refused('***')",
    "escaped": "ValueError: GET https://api.example.com/?login=***&page=2 answered 401",
    "printed": "ValueError: see above",
    "that_leaves": "SystemExit: no rights for ***",
    "that_returns_what_cannot_be_read": "Invalid Input Error: token=***",
    "of_a_variable_that_no_file_names": "ValueError: *** was refused",
    "of_a_variable_that_is_taken_away": "ValueError: *** was refused",
    "of_a_variable_that_is_set_later": "ValueError: *** was refused",
    "a_path": "no file matches https://crm:***@files.example.com/x.csv",
    "a_model_that_fails": "login ***",
    "a_model_with_an_address": "nowhere/x.csv?password=***",
    "a_model_whose_test_fails": "login ***",
    "a_model_that_is_well": "failing could not be measured",
}


def test_no_secret_of_an_error_is_in_any_output_or_file_or_table(tmp_path):
    root = write_mesh(tmp_path, dict(_files()))
    done = mesh_from_a_shell(root, "refresh", "--all", "--json", **ENVIRONMENT)
    told = {each["product"]: "; ".join((*each["reasons"], *each["warnings"])) for each in json.loads(done.stdout)}
    refused = done.stderr.partition("dbt cannot read the product: ")[2].partition("\n")[0]
    assert refused == "login ***"
    assert {name: told.get(name) for name, reason in REASONS.items() if reason not in told.get(name, "")} == {}
    assert "logging in with ***" in done.stderr
    assert "login ***\n" in done.stderr
    texts = [done.stdout, done.stderr]
    for command in (
        "refresh a_model_that_fails", "status", "status a_model_with_an_address", "incidents", "notifications --json",
        "refresh that_remembers", "versions that_remembers", "channels --test alerts", f"query a_model_that_is_well select+*+from+read_csv('nowhere/x.csv?password={WRITTEN}')",
    ):  # fmt: skip
        done = mesh(root, *(word.replace("+", " ") for word in command.split()), **ENVIRONMENT)
        texts += [done.stdout, done.stderr]
    assert [shown for text in texts for shown in _shown(text.encode())] == []
    # The extractor needs its cursor as it was; only its refresh opens the product's own database.
    (root / "warehouse/shop/that_remembers.duckdb").unlink()
    assert list(_left_behind(root)) == []
    done = mesh(root, "query", "that_remembers", "select id from m_that_remembers", "--json", **ENVIRONMENT)
    assert json.loads(done.stdout) == [{"id": 2}], "the second pull got the cursor of the first"
    assert "page ***" in mesh(root, "versions", "that_remembers", **ENVIRONMENT).stdout


PLUG_IN = """
import os
from platform_resources import Strict

def break_in(place):
    if os.environ["CRM_BREAKS_IN"] == place:
        raise ValueError(f"no rights for {os.environ['CRM_LOGIN']}")

break_in("loading")

class Settings(Strict):
    pass

class Crm:
    name, config, measured_by, example = "crm", Settings, "history", ""

    def columns_used(self, settings):
        return {}

    def problems(self, settings, subject):
        break_in("reading")
        return ()

    def measures(self, settings, subject):
        return {}

    def judge(self, settings, readings, subject, moment):
        raise AssertionError("not needed")

CRM = Crm()
"""
# A port that is no number: what is wrong with it is said with what stands there.
NO_LEDGER = f"postgresql://crm@db:{ENVIRONMENT['CRM_PAGE']}/ledger"


def test_no_secret_of_an_error_that_nobody_foresaw_is_in_any_output_or_file_or_table(tmp_path):
    root, plug_ins = write_mesh(tmp_path / "mesh", dict(_mesh_with_a_plug_in())), tmp_path / "plug_ins"
    info = plug_ins / "crm_checks-1.0.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: crm-checks\nVersion: 1.0.0\n")
    (info / "entry_points.txt").write_text("[platform_resources.capabilities]\ndimensions.crm = crm_checks:CRM\n")
    (plug_ins / "crm_checks.py").write_text(PLUG_IN)
    variables = {**ENVIRONMENT, "PYTHONPATH": f"{REPOSITORY}:{plug_ins}", "DAGSTER_HOME": str(root / ".dagster"), "CRM_BREAKS_IN": ""}
    assert mesh_from_a_shell(root, "refresh", "quiet", **variables).returncode == 0
    loading, reading = {**variables, "CRM_BREAKS_IN": "loading"}, {**variables, "CRM_BREAKS_IN": "reading"}
    no_ledger = {**variables, "MESH_LEDGER": NO_LEDGER}
    validate, preview = ("definitions", "validate", "-w", "workspace.yaml"), ("sensor", "preview", "-w", "workspace.yaml", "deliver_shop")
    told = {
        "a plug-in that cannot be loaded": (mesh_from_a_shell(root, "status", **loading), "no rights for ***"),
        "a traceback": (mesh_from_a_shell(root, "validate", **reading), "ValueError: no rights for ***"),
        "a code location that cannot be loaded": (_dagster(root, *validate, **reading), "no rights for ***"),
        "a sensor": (_dagster(root, *preview, **no_ledger), "invalid literal for int() with base 10: '***'"),
        "an evaluation": (mesh_from_a_shell(root, "evaluate", **no_ledger), "MESH_LEDGER is no address of a ledger"),
    }
    texts = {name: f"{done.stdout}{done.stderr}" for name, (done, _) in told.items()}
    assert {name: texts[name] for name, (_, words) in told.items() if words not in texts[name]} == {}
    assert [shown for text in texts.values() for shown in _shown(text.encode())] == []
    assert list(_left_behind(root)) == []


def _mesh_with_a_plug_in() -> Iterator[tuple[str, str]]:
    yield "dataproducts/shop/domain.yaml", DOMAIN
    yield product_file("shop", "quiet"), _product("quiet", component("Known there", "service-level-asset", "dimension: crm"))
    yield "dataproducts/shop/quiet/extract.py", f"{HEAD}{EXTRACTORS['that_hands_over']}"
    yield model_file("shop", "quiet", "m_quiet"), "select id::bigint as id from {{ source('quiet', 'crm') }}"
    location = "from platform_resources import domain_definitions\n\ndefs = domain_definitions(__file__)\n"
    yield "dataproducts/shop/definitions.py", location
    yield "workspace.yaml", "load_from: [{python_file: {relative_path: dataproducts/shop/definitions.py, location_name: shop}}]\n"


def _dagster(root: Path, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("dagster")), *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, env=environment(**changes), timeout=600, check=False)


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
