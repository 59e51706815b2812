"""What an account of Snowflake should have for a mesh: each object and grant, with the statements that make it."""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from platform_resources.capabilities.support.sql_text import literal, quoted
from platform_resources.measuring.dialects import translated
from platform_resources.plan.tenancy import KINDS, VALUE, DomainTenancy, MeshTenancy, ProductTenancy, ReaderRole, class_masks
from platform_resources.settings import ROLE
from platform_resources.spec.values.field_types import UNCLASSIFIED
from platform_resources.warehouses.published_places import CatalogView
from platform_resources.warehouses.snowflake.account_names import (
    MARK,
    compute_name,
    database_of,
    in_database,
    member_of,
    members_of,
    members_role,
    readers_role,
    readers_schema,
    team_role,
)
from platform_resources.warehouses.snowflake.column_kinds import stored_kind
from platform_resources.warehouses.snowflake.mask_key_table import key_sql
from platform_resources.warehouses.snowflake.sessions import name_sql, shown_name, text_sql
from platform_resources.warehouses.snowflake.version_tables import SCHEMA, VERSION, VIEWS, role_view

# The order in which they are made: what protects comes before what gives.
ORDER = (
    *("limit of compute", "compute", "role", "schema", "tag", "mask", "mask of a tag", "row policy", "class of a column"),
    *("filter of a table", "view", "privilege", "member"),
)
# What is not wanted any more of these protects without need: it goes after what gives too much.
PROTECTING = frozenset({"limit of compute", "mask", "mask of a tag", "row policy", "class of a column", "filter of a table"})
TAG, ROWS = "CLASSIFICATION", "ROWS"
STATEMENT_LIMIT = "STATEMENT_TIMEOUT_IN_SECONDS"
MESH = "MESH"
# Of a team's own schemas it reads everything that is there and will be.
TEAM_SCHEMAS = ("INPUTS", "INTERNAL", "PORTS")

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class WantedObject:
    """One thing that should be there: in which state, why, what makes it, and what brings it there from another state."""

    state: str
    why: str
    make: tuple[str, ...]
    change: tuple[str, ...] = ()


# The columns of each table of versions of a database.
Tables = Mapping[str, Sequence[str]]


def compute_state(size: str, seconds: object, limit: object, longest: object) -> str:
    """How a warehouse is set; `longest` is after how many seconds it breaks statements off, None where it has no time of its own."""
    return f"{size}, {seconds} s, limit {limit}, statements {'without limit' if longest is None else f'up to {longest} s'}"


def wanted_domain(domain: DomainTenancy, tenancy: MeshTenancy) -> Iterator[tuple[Key, WantedObject]]:
    """Compute of its own, with limits where it has them, and the role of those who belong to it."""
    name, compute = compute_name(domain.name), domain.compute
    why, limit = f"compute of domain {domain.name}", compute.monthly_credits
    if limit is not None:
        made = (
            f"create resource monitor if not exists {quoted(name)} with credit_quota = {limit} frequency = monthly "
            "start_timestamp = immediately triggers on 80 percent do notify on 100 percent do suspend"
        )
        purpose = f"domain {domain.name} may use {limit} credits in a month"
        yield (
            ("limit of compute", name),
            WantedObject(str(limit), purpose, (made,), (f"alter resource monitor {quoted(name)} set credit_quota = {limit}",)),
        )
    seconds = int(compute.auto_suspend.total_seconds())
    sized = f"warehouse_size = {compute.warehouse_size} auto_suspend = {seconds}"
    longest = None if compute.statement_timeout is None else int(compute.statement_timeout.total_seconds())
    timed = "" if longest is None else f" {STATEMENT_LIMIT.lower()} = {longest}"
    limited = f"set resource_monitor = {quoted(name)}" if limit is not None else "unset resource_monitor"
    made = f"create warehouse if not exists {quoted(name)} {sized} auto_resume = true initially_suspended = true{timed}"
    made = f"{made} comment = {text_sql(MARK)}"
    limiting = f"alter warehouse {quoted(name)} {limited}"
    state = compute_state(compute.warehouse_size, seconds, name if limit is not None else "none", longest)
    unlimited = (f"alter warehouse {quoted(name)} unset {STATEMENT_LIMIT.lower()}",) if longest is None else ()
    changed = (f"alter warehouse {quoted(name)} set {sized}{timed}", *unlimited, limiting)
    yield ("compute", name), WantedObject(state, why, (made, limiting) if limit is not None else (made,), changed)
    yield from _role(members_role(domain.name), f"those who belong to domain {domain.name}")
    yield _privilege("USAGE", "WAREHOUSE", name, members_role(domain.name), why)
    for member in domain.members:
        yield from _member(members_role(domain.name), member_of(member, tenancy), f"{member} owns domain {domain.name}")


def wanted_product(
    product: ProductTenancy, tenancy: MeshTenancy, given: Mapping[str, Sequence[CatalogView]], tables: Tables
) -> Iterator[tuple[Key, WantedObject]]:
    """Its schemas, its team's role, one role for the readers of each view, and what protects its tables. `given` has each role's views."""
    database, team = database_of(product), team_role(database_of(product))
    own = f"product {product.name}"
    schemas = dict.fromkeys((*map(str.upper, product.schemas), VIEWS, MESH, *map(readers_schema, product.readers)))
    for schema in schemas:
        named = in_database(database, schema)
        made = f"create schema if not exists {named} with managed access"
        why = f"{own}: only the platform gives access to what is in it"
        yield ("schema", f"{database}.{schema}"), WantedObject("managed", why, (made,), (f"alter schema {named} enable managed access",))
    yield from _role(team, f"the team of {own}")
    yield _privilege("USAGE", "DATABASE", database, team, own)
    yield _privilege("USAGE", "WAREHOUSE", compute_name(product.domain), team, own)
    for schema in TEAM_SCHEMAS:
        yield _privilege("USAGE", "SCHEMA", f"{database}.{schema}", team, own)
        yield from (_future(kind, database, schema, team, own) for kind in ("TABLE", "VIEW"))
    for owner in product.team:
        yield from _member(team, member_of(owner, tenancy), f"{owner} owns {own}")
    if product.domain_access:
        why = f"domain {product.domain} sees everything of its products"
        yield from _member(team, ("ROLE", members_role(product.domain)), why)
    for role in product.readers:
        yield from _readers(database, role, tenancy, given.get(role.name, ()))
    yield from _protection(product, database, tables)


def _readers(database: str, role: ReaderRole, tenancy: MeshTenancy, views: Sequence[CatalogView]) -> Iterator[tuple[Key, WantedObject]]:
    name, schema = readers_role(database, role), readers_schema(role)
    yield from _role(name, role.why)
    yield _privilege("USAGE", "DATABASE", database, name, role.why)
    yield _privilege("USAGE", "SCHEMA", f"{database}.{schema}", name, role.why)
    for view in views:
        full = f"{database}.{schema}.{name_sql(view.name)[1:-1]}"
        made = role_view(database, schema, view)
        yield ("view", full), WantedObject(made.digest, role.why, made.statements, made.statements)
        yield _privilege("SELECT", "VIEW", full, name, role.why)
    for kind, member in members_of(role, tenancy):
        yield from _member(name, (kind, member), role.why)


def _protection(product: ProductTenancy, database: str, tables: Tables) -> Iterator[tuple[Key, WantedObject]]:
    """Whoever comes to the tables beside the platform's views finds masked columns, and no rows where a role sees only some."""
    tag, rows = in_database(database, MESH, TAG), in_database(database, MESH, ROWS)
    own, platform = f"product {product.name}", literal(ROLE.value(os.environ).upper())
    yield ("tag", f"{database}.{TAG}"), WantedObject("", own, (f"create tag if not exists {tag} comment = {text_sql(MARK)}",))
    for kind in KINDS:
        name = f"MASK_{kind.upper()}"
        policy, stored = in_database(database, MESH, name), stored_kind(VALUE, kind) if kind != "bigint" else "number"
        body = f"case when invoker_role() = {platform} then VAL else {_masked(product, database, kind, stored)} end"
        why = f"{own}: the tables show a column as its class says for others"
        yield _policy("mask", f"{database}.{name}", policy, f"masking policy {{}} as (VAL {stored}) returns {stored}", body, why)
        yield ("mask of a tag", f"{database}.{name}"), WantedObject("", why, (f"alter tag {tag} set masking policy {policy}",))
    filtered = [data_set for data_set in product.filtered if name_sql(data_set)[1:-1] in tables]
    if filtered:
        why = f"{own}: a role sees only some rows, so the tables show none beside its views"
        body = f"invoker_role() = {platform}"
        yield _policy("row policy", f"{database}.{ROWS}", rows, "row access policy {} as (VERSION varchar) returns boolean", body, why)
        for data_set in filtered:
            table = in_database(database, SCHEMA, name_sql(data_set)[1:-1])
            made = f"alter table {table} add row access policy {rows} on ({VERSION})"
            yield ("filter of a table", f"{database}.{name_sql(data_set)[1:-1]}"), WantedObject("", why, (made,))
    named = {name_sql(data_set)[1:-1]: classes for data_set, classes in product.classes.items()}
    for table, columns in tables.items():
        classes = named.get(table, {})
        for column in columns:
            class_name = classes.get(shown_name(column), UNCLASSIFIED)
            made = (
                f"alter table {in_database(database, SCHEMA, table)} modify column {quoted(column)} set tag {tag} = {text_sql(class_name)}"
            )
            yield (
                ("class of a column", f"{database}.{table}.{column}"),
                WantedObject(class_name, f"{own}: its class is {class_name}", (made,), (made,)),
            )


def _masked(product: ProductTenancy, database: str, kind: str, stored: str) -> str:
    """By the class of the column that is read; of a class that nobody knows, nothing."""
    masks = class_masks(product, kind)
    cases = " ".join(
        f"when {text_sql(name)} then cast({translated(sql, 'snowflake', lambda secret: key_sql(database, secret))} as {stored})"
        for name, sql in masks.items()
    )
    return f"case system$get_tag_on_current_column({literal(in_database(database, MESH, TAG))}) {cases} else null end"


def _policy(kind: str, key: str, name: str, signature: str, body: str, why: str) -> tuple[Key, WantedObject]:
    """Its comment says what it was made of, because only its owner is told the body."""
    digest = hashlib.sha256(f"{signature} {body}".encode()).hexdigest()[:12]
    comment = f"comment = {text_sql(f'{MARK} ({digest})')}"
    what = "masking policy" if kind == "mask" else "row access policy"
    made = f"create {signature.format(name).replace(what, f'{what} if not exists', 1)} -> {body} {comment}"
    return (kind, key), WantedObject(
        digest, why, (made,), (f"alter {what} {name} set body -> {body}", f"alter {what} {name} set {comment}")
    )


def _role(name: str, why: str) -> Iterator[tuple[Key, WantedObject]]:
    yield ("role", name), WantedObject("", why, (f"create role if not exists {quoted(name)} comment = {text_sql(f'{MARK}: {why}')}",))


def _member(role: str, member: tuple[str, str] | None, why: str) -> Iterator[tuple[Key, WantedObject]]:
    if member is not None:
        kind, name = member
        yield (
            ("member", f"{role} to {kind} {name}"),
            WantedObject("", why, (f"grant role {quoted(role)} to {kind.lower()} {quoted(name)}",)),
        )


def _privilege(privilege: str, kind: str, name: str, role: str, why: str) -> tuple[Key, WantedObject]:
    made = f"grant {privilege.lower()} on {kind.lower()} {in_database(*name.split('.'))} to role {quoted(role)}"
    return ("privilege", f"{privilege} on {kind} {name} to {role}"), WantedObject("", why, (made,))


def _future(kind: str, database: str, schema: str, role: str, why: str) -> tuple[Key, WantedObject]:
    """For what is there too: builds make tables anew, and a new table has no grants."""
    place, to = f"in schema {in_database(database, schema)}", f"to role {quoted(role)}"
    made = tuple(f"grant select on {which} {kind.lower()}s {place} {to}" for which in ("all", "future"))
    return ("privilege", f"SELECT on FUTURE {kind} {database}.{schema} to {role}"), WantedObject("", why, made)
