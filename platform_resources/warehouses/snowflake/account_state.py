"""What an account of Snowflake has for a mesh: compute, roles, grants and policies, read by SHOW and information_schema."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from platform_resources.capabilities.support.sql_text import literal, quoted
from platform_resources.warehouses.snowflake.account_names import MARK, compute_name, in_database, is_of_mesh
from platform_resources.warehouses.snowflake.kept_notes import Notes
from platform_resources.warehouses.snowflake.sessions import Session
from platform_resources.warehouses.snowflake.version_tables import SCHEMA, VERSION, role_topic
from platform_resources.warehouses.snowflake.wanted_objects import MESH, ROWS, STATEMENT_LIMIT, TAG, Key, Tables, compute_state

# The digest of what a policy was made of, in its comment.
_DIGEST = re.compile(r"\(([0-9a-f]{12})\)$")
_ROLE_SCHEMAS = "AS_"


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that is there: in which state, and the statements that take it away; none where it is not the mesh's to take."""

    state: str
    drop: tuple[str, ...] = ()


def shown(opened: Session, statement: str) -> list[dict[str, Any]]:
    """The rows of a SHOW, each by the names of its columns."""
    names, rows = opened.described(statement)
    return [dict(zip(names, row, strict=True)) for row in rows]


def found_compute(opened: Session) -> Iterator[tuple[Key, Found]]:
    """Warehouses and limits that are called as the mesh's."""
    for row in _of_mesh(shown(opened, "show resource monitors")):
        name = str(row["name"])
        both = (f"alter warehouse if exists {quoted(name)} unset resource_monitor", f"drop resource monitor if exists {quoted(name)}")
        yield ("limit of compute", name), Found(str(int(float(row["credit_quota"]))), both)
    for row in _of_mesh(shown(opened, "show warehouses")):
        name, limit = str(row["name"]), row.get("resource_monitor")
        size = str(row["size"]).lower().replace("-", "")
        shown_limit = limit if limit not in (None, "", "null") else "none"
        drop = (f"drop warehouse if exists {quoted(name)}",) if str(row.get("comment") or "").startswith(MARK) else ()
        yield ("compute", name), Found(compute_state(size, row["auto_suspend"], shown_limit, _longest(opened, name)), drop)


def _longest(opened: Session, compute: str) -> str | None:
    """After how many seconds a warehouse breaks statements off; None where that is set for the account, and not for the warehouse."""
    parameters = shown(opened, f"show parameters like '{STATEMENT_LIMIT}' in warehouse {quoted(compute)}")
    return next((str(row["value"]) for row in parameters if row["level"] == "WAREHOUSE"), None)


def own_compute(opened: Session, domain: str) -> str:
    """The warehouse of a domain, if it has been made; empty where it has not."""
    name = compute_name(domain)
    return name if any(row["name"] == name for row in shown(opened, "show warehouses")) else ""


def found_roles(opened: Session, of: str) -> Iterator[tuple[Key, Found]]:
    """Roles that the mesh has made and whose names begin like this, who has each, and what each may do."""
    for row in _of_mesh(shown(opened, "show roles")):
        name = str(row["name"])
        if not name.startswith(of) or not str(row.get("comment") or "").startswith(MARK):
            continue
        yield ("role", name), Found("", (f"drop role if exists {quoted(name)}",))
        for had in shown(opened, f"show grants of role {quoted(name)}"):
            kind, member = str(had["granted_to"]), str(had["grantee_name"])
            yield ("member", f"{name} to {kind} {member}"), Found("", (f"revoke role {quoted(name)} from {kind.lower()} {quoted(member)}",))
        yield from _privileges(opened, name)


def _privileges(opened: Session, role: str) -> Iterator[tuple[Key, Found]]:
    future = {(str(row["grant_on"]), _schema_of(str(row["name"]))) for row in shown(opened, f"show future grants to role {quoted(role)}")}
    for kind, schema in future:
        place = f"in schema {in_database(*schema.split('.'))}"
        both = tuple(f"revoke select on {which} {kind.lower()}s {place} from role {quoted(role)}" for which in ("future", "all"))
        yield ("privilege", f"SELECT on FUTURE {kind} {schema} to {role}"), Found("", both)
    for row in shown(opened, f"show grants to role {quoted(role)}"):
        privilege, kind, name = str(row["privilege"]), str(row["granted_on"]), str(row["name"]).replace('"', "")
        if kind == "ROLE":
            if not is_of_mesh(name):
                yield ("member", f"{name} to ROLE {role}"), Found("", (f"revoke role {quoted(name)} from role {quoted(role)}",))
        elif privilege != "SELECT" or (kind, name.rpartition(".")[0]) not in future:
            gone = (
                f"revoke {privilege.lower()} on {kind.lower().replace('_', ' ')} {in_database(*name.split('.'))} from role {quoted(role)}"
            )
            yield ("privilege", f"{privilege} on {kind} {name} to {role}"), Found("", (gone,))


def _schema_of(name: str) -> str:
    """Of `DATABASE.SCHEMA.<TABLE>`."""
    return name.replace('"', "").rpartition(".")[0]


def found_in_database(opened: Session, database: str, tables: Tables) -> Iterator[tuple[Key, Found]]:
    """Schemas, views of roles, and what protects the tables of versions."""
    place, notes = in_database(database, MESH), Notes(Session(opened.connection, database))
    schemas = shown(opened, f"show schemas in database {quoted(database)}")
    for row in schemas:
        name = str(row["name"])
        drop = (f"drop schema if exists {in_database(database, name)}",) if name.startswith(_ROLE_SCHEMAS) else ()
        yield (
            ("schema", f"{database}.{name}"),
            Found("managed" if "MANAGED ACCESS" in str(row.get("options") or "") else "not managed", drop),
        )
        if name.startswith(_ROLE_SCHEMAS):
            for view, digest in notes.remembered(role_topic(name)).items():
                forgetting = f"delete from {notes.table} where TOPIC = {literal(role_topic(name))} and NAME = {literal(view)}"
                both = (f"drop view if exists {in_database(database, name, view)}", forgetting)
                yield ("view", f"{database}.{name}.{view}"), Found(digest, both)
    tag, rows = in_database(database, MESH, TAG), in_database(database, MESH, ROWS)
    for row in shown(opened, f"show tags in schema {place}"):
        yield ("tag", f"{database}.{row['name']}"), Found("", (f"drop tag if exists {in_database(database, MESH, str(row['name']))}",))
    for row in shown(opened, f"show masking policies in schema {place}"):
        gone = f"drop masking policy if exists {in_database(database, MESH, str(row['name']))}"
        yield ("mask", f"{database}.{row['name']}"), Found(_digest(row), (gone,))
    for (name,) in _references(opened, database, tag, "tag"):
        gone = f"alter tag {tag} unset masking policy {in_database(database, MESH, name)}"
        yield ("mask of a tag", f"{database}.{name}"), Found("", (gone,))
    for row in shown(opened, f"show row access policies in schema {place}"):
        yield ("row policy", f"{database}.{row['name']}"), Found(_digest(row), (f"drop row access policy if exists {rows}",))
    for table in tables:
        named = in_database(database, SCHEMA, table)
        if (ROWS,) in _references(opened, database, named, "table"):
            yield ("filter of a table", f"{database}.{table}"), Found("", (f"alter table {named} drop row access policy {rows}",))
        source = f"{quoted(database)}.INFORMATION_SCHEMA.TAG_REFERENCES_ALL_COLUMNS({literal(named)}, 'table')"
        for column, value in opened.rows(f"select COLUMN_NAME, TAG_VALUE from table({source}) where TAG_NAME = '{TAG}'"):
            yield ("class of a column", f"{database}.{table}.{column}"), Found(str(value))


def _references(opened: Session, database: str, name: str, kind: str) -> list[tuple[str]]:
    """The names of the policies of a table or tag."""
    source = f"{quoted(database)}.INFORMATION_SCHEMA.POLICY_REFERENCES(ref_entity_name => {literal(name)}, ref_entity_domain => '{kind}')"
    return [(str(policy),) for (policy,) in opened.rows(f"select distinct POLICY_NAME from table({source})")]


def tables_of(opened: Session, database: str) -> dict[str, list[str]]:
    """The columns of each table of versions, but for the version itself."""
    source = f"{quoted(database)}.INFORMATION_SCHEMA.COLUMNS where TABLE_SCHEMA = '{SCHEMA}' and COLUMN_NAME <> '{VERSION}'"
    columns_of: dict[str, list[str]] = {}
    for table, column in opened.rows(f"select TABLE_NAME, COLUMN_NAME from {source} order by TABLE_NAME, ORDINAL_POSITION"):
        columns_of.setdefault(str(table), []).append(str(column))
    return columns_of


def _digest(row: dict[str, Any]) -> str:
    match = _DIGEST.search(str(row.get("comment") or ""))
    return match[1] if match is not None else "made by somebody else"


def _of_mesh(rows: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    return (row for row in rows if is_of_mesh(str(row["name"])))
