"""Code snippets that read an output port from Python, DuckDB, curl, dbt or another product. Each kind is run by a test."""

import json
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, unquote, urlsplit

import yaml

from platform_resources.access.role_folders import OPEN, folder_name
from platform_resources.capabilities.support.sql_text import literal, quoted
from platform_resources.plan.conventions import catalog_file, ports_folder
from platform_resources.plan.model_plans import DataSetPlan
from platform_resources.plan.plan import ProductPlan
from platform_resources.plan.port_plans import OutputPlan
from platform_resources.services.access.reader_views import ReaderView
from platform_resources.settings import ACCOUNT, HOST, PORT, PROTOCOL, SERVING
from platform_resources.spec.values.versions import Version
from platform_resources.spec.values.yaml_text import FastDumper
from platform_resources.warehouses.table_servers import schema_name
from platform_resources.warehouses.targets import warehouse

SnippetKind = Literal["mesh", "python", "duckdb", "address", "psql", "jdbc", "odbc", "pages", "curl", "dbt", "input port"]
_READERS: Mapping[str, str] = {
    "parquet": "duckdb.read_parquet(files)",
    "csv": 'duckdb.read_csv(files, header=True, dtype=port["columns"])',
    "json": 'duckdb.read_json(files, columns=port["columns"], format="newline_delimited")',
}


@dataclass(frozen=True, slots=True)
class Snippet:
    """One way to read a port; `language` is the snippet's language, `note` a caution to show beside it."""

    kind: SnippetKind
    title: str
    language: Literal["shell", "python", "sql", "text", "yaml"]
    text: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class ServerLogin:
    """As whom somebody logs in at a server of tables, and which role's schema they read: all of it where it is empty, none if None.

    Without a name it is whoever runs the platform.
    """

    name: str = ""
    role: str | None = ""


PLATFORM = ServerLogin()


def login_of(reading: ReaderView, product: ProductPlan) -> ServerLogin:
    """The login of a reader: logins are called like the subject of a grant, or like an owner, which may be a group of the reader's."""
    standing, reader, offers = reading.standing(product), reading.reader, product.offers
    roles = {"all": "", "open": OPEN, "nothing": None}
    role = folder_name(standing.role, standing.attributes) if standing.sees == "role" else roles[standing.sees]
    if reader is None:
        return ServerLogin(role=role)
    granted = [grant.subject for grant in (*offers.grants, *reading.known.grants) if standing.grant and grant.name == standing.grant]
    return ServerLogin(next(iter((*granted, *reader.own_among(offers.owners), reader.name))), role)


def snippets(
    product: ProductPlan, port: OutputPlan, state: Path, url: str = "", reader: str = "", login: ServerLogin = PLATFORM
) -> tuple[Snippet, ...]:
    """Every way to read the port, each complete by itself.

    `state` is the folder with ports/ in it, as whoever reads sees it. `url` is the address of `mesh serve`; without it there is no curl.
    A `reader` is named who sees only a part of the product: what opens its files is not offered then.
    """
    if reader:
        return (
            Snippet("mesh", "mesh query", "shell", _queried(product, port, reader)),
            *(_on_server(product, port, login) if port.store.server is not None else ()),
            *([_curl(product, port, url, reader)] if url else []),
        )
    data_set = product.data_set(port.data_set)
    if warehouse().kind != "duckdb":
        return (
            Snippet("mesh", "mesh query", "shell", _queried(product, port)),
            *(
                _in_snowflake(product, data_set, warehouse().catalog_address(state, product.domain, product.name))
                if port.store.in_catalog
                else ()
            ),
            *([_curl(product, port, url)] if url else []),
            _input_port(product, port),
        )
    return (
        Snippet("mesh", "mesh query", "shell", _queried(product, port)),
        _python(product, port, state),
        _in_catalog(product, port, state) if port.store.in_catalog else _files(product, port, data_set, state),
        *([Snippet("address", "SQL", "text", port.store.address)] if port.store.address else []),
        *([Snippet("address", "Kafka", "text", f"{stream.topic} at {stream.servers}")] if (stream := port.store.stream) else []),
        *(_on_server(product, port, login) if port.store.server is not None else ()),
        *([_curl(product, port, url)] if url else []),
        *([_dbt_source(product, data_set, state)] if port.store.in_catalog else []),
        _input_port(product, port),
    )


def _queried(product: ProductPlan, port: OutputPlan, reader: str = "") -> str:
    named = f" --as {shlex.quote(reader)}" if reader else ""
    return f"mesh query {product.name}{named} {shlex.quote(f'select * from {quoted(port.name)} limit 10')}"


def _python(product: ProductPlan, port: OutputPlan, state: Path) -> Snippet:
    folder = state / ports_folder(product.domain, product.name)
    text = f"""\
import json
from pathlib import Path

import duckdb

shelf = Path({json.dumps(str(folder), ensure_ascii=False)})
newest = json.loads((shelf / "latest.json").read_text())["version"]
port = next(port for port in newest["ports"] if port["port"] == {json.dumps(port.name)})
files = [str(shelf / file) for file in port["files"]]
rows = {_READERS[port.store.format]}
print(rows.limit(10))
"""
    return Snippet("python", "Python", "python", text, "Reads the newest version, whole; any library that reads the format does as well.")


def _in_snowflake(product: ProductPlan, data_set: DataSetPlan, address: str) -> tuple[Snippet, ...]:
    """`address` is the database and the schema, which the product's own team reads; readers of a role have a schema of that role."""
    database, _, schema = address.partition(".")
    account, host = ACCOUNT.value(os.environ), HOST.value(os.environ)
    own = f", host={json.dumps(host)}, port={PORT.value(os.environ) or 443}, protocol={json.dumps(PROTOCOL.value(os.environ) or 'https')}"
    table = f"{address}.{data_set.name.upper()}"
    python = f"""\
import os

import snowflake.connector

password = os.environ.get("SNOWFLAKE_PASSWORD")
way = {{"password": password}} if password else {{"authenticator": "externalbrowser"}}
person = {{"user": os.environ["SNOWFLAKE_USER"], "warehouse": os.environ["SNOWFLAKE_WAREHOUSE"]}}
with snowflake.connector.connect(account={json.dumps(account)}{own if host else ""}, **person, **way) as connection:
    rows = connection.cursor().execute("select * from {table} limit 10").fetchall()
print(*rows, sep="\\n")
"""
    jdbc = f"jdbc:snowflake://{host or f'{account}.snowflakecomputing.com'}/?db={database}&schema={schema}&authenticator=externalbrowser\n"
    source = {"name": product.name, "database": database, "schema": schema, "tables": [{"name": data_set.name}]}
    organisation, _, named = account.partition("-")
    pages = f"https://app.snowflake.com/{organisation}/{named}/#/data/databases/{database}/schemas/{schema}/view/{data_set.name.upper()}\n"
    yours = f"The product's team reads {schema}, readers of a role AS_<ROLE> (mesh access show); the compute is your own."
    return (
        Snippet("address", "SQL", "sql", f"select * from {address}.{data_set.name} limit 10;\n", yours),
        Snippet("python", "Python", "python", python, "With snowflake-connector-python, as SNOWFLAKE_USER, on SNOWFLAKE_WAREHOUSE."),
        Snippet("jdbc", "JDBC", "text", jdbc, "For the driver net.snowflake:snowflake-jdbc; tools ask for user and warehouse."),
        Snippet("dbt", "dbt source", "yaml", _yaml({"sources": [source]}), "For a dbt project outside of the mesh."),
        *([Snippet("pages", "Snowflake's pages", "text", pages, "Opens the view in a browser, where you are signed in.")] if named else []),
    )


def _on_server(product: ProductPlan, port: OutputPlan, login: ServerLogin) -> tuple[Snippet, ...]:
    """psql, JDBC and ODBC where the server is known by a name and a port; nobody's password."""
    if login.role is None:
        select = f"select table_schema from information_schema.tables where table_name = {literal(port.data_set)};\n"
        schemas = f"Gives the schema that shows {port.data_set} as your role sees it, once you have one; select from it."
    else:
        select = f"select * from {quoted(schema_name(product.name, login.role))}.{quoted(port.data_set)} limit 10;\n"
        schemas = f"Whoever has a role reads its own schema: {product.name}__ROLE." if not login.role else f"As role {login.role} sees it."
    address = urlsplit(port.store.address or SERVING.value(os.environ))
    if not address.hostname:
        return (Snippet("address", "PostgreSQL", "sql", select, schemas),)
    host, number, database = address.hostname, address.port or 5432, address.path.strip("/") or "postgres"
    at = f"[{host}]" if ":" in host else host
    odbc = f"Driver={{PostgreSQL Unicode}};Server={host};Port={number};Database={unquote(database)}\n"
    person = shlex.quote(f"postgresql://{quote(login.name, safe='')}@{at}:{number}/{database}") if login.name else f'"${SERVING.name}"'
    made = (
        f"whoever runs the server makes it once, with a password: create role {quoted(login.name or 'ana@example.com')} login password '…'"
    )
    note = f"It asks for the password of your login; {made}." if login.name else f"As the platform itself. A reader has a login; {made}."
    return (
        Snippet("address", "PostgreSQL", "sql", select, schemas),
        Snippet("psql", "psql", "shell", f"psql {person} -c {shlex.quote(select.strip())}\n", note),
        Snippet(
            "jdbc",
            "JDBC",
            "text",
            f"jdbc:postgresql://{at}:{number}/{database}\n",
            "For the driver org.postgresql:postgresql; with user and password, as psql says.",
        ),
        Snippet("odbc", "ODBC", "text", odbc, "For psqlODBC; with UID and PWD, as psql says."),
    )


def _in_catalog(product: ProductPlan, port: OutputPlan, state: Path) -> Snippet:
    file, name = state / catalog_file(product.domain, product.name), quoted(product.name)
    text = f"attach {literal(str(file))} as {name} (read_only);\nselect * from {name}.{quoted(port.data_set)} limit 10;\n"
    return Snippet("duckdb", "DuckDB", "sql", text, "DuckDB 1.2 or later. Attach it anew to see a newer version.")


def _files(product: ProductPlan, port: OutputPlan, data_set: DataSetPlan, state: Path) -> Snippet:
    folder = str(state / ports_folder(product.domain, product.name))
    types = ", ".join(f"{literal(column.name)}: {literal(column.type)}" for column in data_set.spec.columns)
    read: Mapping[str, str] = {
        "parquet": "read_parquet(getvariable('files'))",
        "csv": f"read_csv(getvariable('files'), header = true, types = {{{types}}})",
        "json": f"read_json(getvariable('files'), format = 'newline_delimited', columns = {{{types}}})",
    }
    text = f"""\
set variable files = (
    select list({literal(folder + "/")} || file)
    from (select unnest(version.ports) as port from read_json({literal(folder + "/latest.json")})), unnest(port.files) as files(file)
    where port.port = {literal(port.name)}
);
select * from {read[port.store.format]} limit 10;
"""
    return Snippet("duckdb", "DuckDB", "sql", text, "Set the variable anew to see a newer version.")


def _curl(product: ProductPlan, port: OutputPlan, url: str, reader: str = "") -> Snippet:
    """With a token for a named reader: without one a server on this computer gives its own user's files."""
    address = f"{url.rstrip('/')}/api/v1/products/{product.name}/ports/{port.name}/file"
    token = '-H "Authorization: Bearer $MESH_TOKEN" ' if reader else ""
    note = "With ?version= and the id of a version (`mesh versions`) curl -C - goes on where a download was broken off."
    if reader:
        note = f"MESH_TOKEN is a token of {reader}, from the page /tokens. {note}"
    return Snippet("curl", "curl", "shell", f"curl --fail --location {token}-o {port.data_set}.{port.store.suffix} {address}", note)


def _dbt_source(product: ProductPlan, data_set: DataSetPlan, state: Path) -> Snippet:
    columns = [_described(column.name, column.description) for column in data_set.spec.columns]
    table = {**_described(data_set.name, data_set.spec.description), "columns": columns}
    source = {"name": product.name, "database": product.name, "schema": "main", "tables": [table]}
    file = state / catalog_file(product.domain, product.name)
    attached = _yaml([{"path": str(file), "alias": product.name, "read_only": True}])
    above = "\n".join(f"#   {line}" for line in ("attach:", *attached.splitlines()))
    text = f"# In profiles.yml, at the target of the type duckdb:\n{above}\n{_yaml({'sources': [source]})}"
    use = f"In a model: select * from {{{{ source('{product.name}', '{data_set.name}') }}}}."
    return Snippet("dbt", "dbt source", "yaml", text, f"For a dbt project outside of the mesh. {use}")


def _described(name: str, description: str) -> dict[str, Any]:
    """A description that dbt would take for a template is left out."""
    plain = description and not any(sign in description for sign in ("{{", "{%", "{#"))
    return {"name": name, **({"description": description} if plain else {})}


def _input_port(product: ProductPlan, port: OutputPlan) -> Snippet:
    properties = {
        "interface": "data-product",
        "associated_output_port": f"{product.name}.{port.name}",
        "version": f"^{Version.parse(port.version or product.info.version).major}",
    }
    component = {"name": port.data_set, "type": "input-port", "properties": properties}
    note = "A component of another product.yaml of this mesh."
    return Snippet("input port", "Another product's input port", "yaml", _yaml([component]), note)


def _yaml(data: Any) -> str:
    return str(yaml.dump(data, Dumper=FastDumper, sort_keys=False, allow_unicode=True, width=1000))
