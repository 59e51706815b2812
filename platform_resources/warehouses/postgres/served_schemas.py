"""Which schemas of a PostgreSQL database show the newest version of products, and who reads them?"""

import hashlib
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import duckdb
from adbc_driver_postgresql import dbapi

from platform_resources.access.role_folders import AccessChange
from platform_resources.capabilities.support.sql_text import literal, quoted
from platform_resources.warehouses.postgres.served_rows import describe, load_table
from platform_resources.warehouses.table_servers import LONGEST_NAME, ServedReaders, ServedSchema, ServingFailed, schema_name

# How long readers of a former version may keep it from being taken away; the next refresh tries again.
PATIENCE = "2s"
GONE = "the mesh serves no such product any more"
ENDED, GIVEN = "no grant of it is in force", "a grant of it is in force"
EVERYBODY = "everybody reads it, as there is no agreement"
OTHERWISE = "the role sees something else now, which the next refresh shows"
_OWN = (
    "select nspname, obj_description(oid, 'pg_namespace') from pg_namespace"
    " where nspowner = current_user::regrole and obj_description(oid, 'pg_namespace') like '{\"mesh\":%'"
)
_MEMBERS = (
    "select r.rolname, m.rolname, {takes} from pg_auth_members a join pg_roles r on r.oid = a.roleid join pg_roles m on m.oid = a.member"
    " join pg_roles g on g.oid = a.grantor where m.rolname <> current_user"
    # what a superuser grants is recorded as granted by the server's first one
    " and (g.rolname = current_user or g.oid = 10 and (select rolsuper from pg_roles where rolname = current_user))"
)
# The first version that can give somebody a role's rights without letting them take the role: a session that has taken one keeps it.
_WITHOUT_TAKING = 160000
_PUBLIC = "select nspname from pg_namespace where has_schema_privilege('public', oid, 'usage')"
_ROLES = "select rolname from pg_roles"


@dataclass(frozen=True, slots=True)
class OwnSchema:
    """A schema that the platform has made, as its comment tells: of which product, version and role, and which views it shows."""

    name: str
    product: str
    version: str
    role: str
    shows: Mapping[str, str]
    is_open: bool

    @property
    def shown_name(self) -> str:
        """The schema's name while its version is the one that readers see."""
        return schema_name(self.product, self.role)

    @property
    def is_shown(self) -> bool:
        """Whether readers see this version now."""
        return self.name == self.shown_name

    @property
    def stored_name(self) -> str:
        """The schema's name while another version is shown."""
        return f"{self.shown_name}__{re.sub('[^0-9]', '', self.version)}"


def group_role(schema: str, database: str) -> str:
    """Roles belong to the whole server, so those of another database have other names."""
    name = f"{schema}@{database}"
    return name if len(name.encode()) <= LONGEST_NAME else f"{schema}@{hashlib.sha256(database.encode()).hexdigest()[:8]}"


@dataclass(frozen=True, slots=True)
class PostgresServing:
    """What `warehouses.table_servers` asks of a server. `url` has the password of a role that may make schemas and roles."""

    url: str

    @contextmanager
    def _transaction(self) -> Iterator[Any]:
        try:
            with closing(dbapi.connect(self.url)) as connection, connection.cursor() as cursor:
                cursor.execute("set search_path = ''")  # where somebody may make functions, theirs would be called with our rights
                yield cursor
                connection.commit()
        except (dbapi.Error, duckdb.Error) as error:
            raise ServingFailed(_said(error)) from None

    def load(self, product: str, version: str, schemas: Sequence[ServedSchema]) -> None:
        with self._transaction() as cursor:
            database = _one(cursor, "select current_database()")
            for left in (schema for schema in _own(cursor, product) if schema.version == version and not schema.is_shown):
                cursor.execute(f"drop schema {quoted(left.name)} cascade")
            loaded: dict[tuple[Path, ...], str] = {}
            for schema in schemas:
                own = OwnSchema("", product, version, schema.role, schema.shows, schema.is_open)
                _fill(cursor, own, schema, loaded, database)

    def show(self, product: str, version: str) -> None:
        with self._transaction() as cursor:
            there = _own(cursor, product)
            if version and not any(schema.version == version for schema in there):
                raise ServingFailed(f"version {version} of {product} is not loaded")
            for schema in there:
                if schema.is_shown and schema.version != version:
                    cursor.execute(f"alter schema {quoted(schema.name)} rename to {quoted(schema.stored_name)}")
            for schema in there:
                if not schema.is_shown and schema.version == version:
                    cursor.execute(f"alter schema {quoted(schema.name)} rename to {quoted(schema.shown_name)}")

    def shown(self, product: str) -> str:
        with self._transaction() as cursor:
            return next((schema.version for schema in _own(cursor, product) if schema.is_shown), "")

    def has(self, product: str, version: str) -> bool:
        with self._transaction() as cursor:
            return any(schema.version == version for schema in _own(cursor, product))

    def tidy(self, product: str) -> tuple[str, ...]:
        with self._transaction() as cursor:
            own, database = _own(cursor, product), _one(cursor, "select current_database()")
            kept = {schema.name for schema in own if schema.is_shown}
            former = [schema for schema in own if not schema.is_shown]
            newest = {schema.role: (schema.shows, schema.is_open) for schema in own if schema.is_shown}
            # What somebody has made of a former version shows no more than their role sees now.
            otherwise = [schema for schema in former if newest.get(schema.role) != (schema.shows, schema.is_open)]
            for statement in _closed(otherwise, database, {row[0] for row in _rows(cursor, _ROLES)}):
                cursor.execute(statement)
            statements = [
                _taken_away(cursor, [schema for schema in former if schema.version == version], kept, database)
                for version in _versions(former)
            ]
        return tuple(text for together in statements for text in self._done(together))

    def _done(self, statements: Sequence[str]) -> Iterator[str]:
        """All or none. A reader who has not ended may keep a former version, until the next time."""
        try:
            with self._transaction() as cursor:
                cursor.execute(f"set local lock_timeout = '{PATIENCE}'")
                for statement in statements:
                    cursor.execute(statement)
        except ServingFailed as error:
            yield f"{statements[-1]}: {error}"

    def access_changes(self, wanted: Mapping[str, ServedReaders], known: Collection[str] | None) -> tuple[AccessChange, ...]:
        with self._transaction() as cursor:
            there = _own(cursor)
            own = [schema for schema in there if schema.is_shown]
            database = _one(cursor, "select current_database()")
            groups = {schema.name: group_role(schema.name, database) for schema in own}
            roles = {row[0] for row in _rows(cursor, _ROLES)}
            users = roles - set(groups.values())
            can_bar = int(_one(cursor, "select current_setting('server_version_num')")) >= _WITHOUT_TAKING
            members = list(_rows(cursor, _MEMBERS.format(takes="a.set_option" if can_bar else "false")))
            public = {row[0] for row in _rows(cursor, _PUBLIC)}
            changes = list[AccessChange]()
            for name in sorted({schema.product for schema in there if known is not None and schema.product not in known}):
                gone = [schema for schema in there if schema.product == name]
                # First nobody reads them: what others have made of them may keep them from being dropped.
                parts = [_closed(gone, database, roles)]
                parts += [_taken_away(cursor, [schema for schema in gone if schema.version == v], (), database) for v in _versions(gone)]
                changes += [AccessChange("revoke", f"postgres/{name}", GONE, part) for part in parts if part]
        for schema in (schema for schema in own if schema.product in wanted):
            product, group = wanted[schema.product], groups[schema.name]
            is_current = not schema.role or schema.shows == product.shows.get(schema.role)
            if schema.is_open:
                is_current = is_current and product.is_open
                if is_current != (schema.name in public):
                    opened = AccessChange("create", f"postgres/{schema.name}", EVERYBODY, _privileges("grant", schema.name, "public"))
                    closed = AccessChange("revoke", opened.place, OTHERWISE, _privileges("revoke", schema.name, "public"))
                    changes.append(opened if is_current else closed)
                continue
            readers = {name for name in product.readers.get(schema.role, ()) if name in users} if is_current else set()
            having, place = {member: takes for role, member, takes in members if role == group}, f"postgres/{schema.name}"
            why, options = ENDED if is_current else OTHERWISE, " with inherit true, set false" if can_bar else ""
            lacking = {name for name in readers if having.get(name, True)}
            changes += [_membership("revoke", place, f"revoke {quoted(group)} from", name, why) for name in sorted(having.keys() - readers)]
            changes += [_membership("create", place, f"grant {quoted(group)} to", name, GIVEN, options) for name in sorted(lacking)]
        return tuple(sorted(changes, key=lambda change: change.act != "revoke"))

    def make_so(self, changes: Sequence[AccessChange]) -> tuple[str, ...]:
        return tuple(text for change in changes for text in self._done(change.statements))


def _membership(act: Literal["revoke", "create"], place: str, statement: str, name: str, why: str, options: str = "") -> AccessChange:
    return AccessChange(act, place, f"{name}: {why}", (f"{statement} {quoted(name)}{options}",))


def _fill(cursor: Any, own: OwnSchema, schema: ServedSchema, loaded: dict[tuple[Path, ...], str], database: str) -> None:
    """What is loaded already, for a schema before, is shown through a view: readers need no right to what the view reads."""
    name = own.stored_name
    cursor.execute(f"create schema {quoted(name)}")
    comment = {"mesh": own.product, "version": own.version, "role": own.role, "shows": dict(own.shows), "open": own.is_open}
    cursor.execute(f"comment on schema {quoted(name)} is {literal(json.dumps(comment))}")
    for table in schema.tables:
        place = f"{quoted(name)}.{quoted(table.data_set)}"
        there = loaded.get(table.published.files)
        if there is None:
            load_table(cursor, name, table)
            loaded[table.published.files] = place
        else:
            cursor.execute(f"create view {place} as select * from {there}")
            describe(cursor.execute, place, table, "view")
    group = "public" if own.is_open else quoted(_group(cursor, own, database))
    for statement in _privileges("grant", name, group):
        cursor.execute(statement)


def _privileges(act: Literal["grant", "revoke"], schema: str, reader: str) -> tuple[str, ...]:
    of = f"{quoted(schema)} {'to' if act == 'grant' else 'from'} {reader}"
    return f"{act} usage on schema {of}", f"{act} select on all tables in schema {of}"


def _closed(schemas: Sequence[OwnSchema], database: str, roles: Collection[str]) -> tuple[str, ...]:
    """How nobody but the platform reads these schemas any more, also by what they have made of them."""
    readers = {schema.name: "public" if schema.is_open else group_role(schema.shown_name, database) for schema in schemas}
    there = {name: reader if reader == "public" else quoted(reader) for name, reader in readers.items() if reader in {*roles, "public"}}
    return tuple(statement for name, reader in there.items() for statement in _privileges("revoke", name, reader))


def _versions(schemas: Sequence[OwnSchema]) -> list[str]:
    return sorted({schema.version for schema in schemas})


def _group(cursor: Any, own: OwnSchema, database: str) -> str:
    group = group_role(own.shown_name, database)
    if not _rows(cursor, f"select 1 from pg_roles where rolname = {literal(group)}"):
        cursor.execute(f"create role {quoted(group)} nologin")
    return group


def _taken_away(cursor: Any, schemas: Sequence[OwnSchema], kept: Collection[str], database: str) -> tuple[str, ...]:
    """How schemas go that read each other, and the roles of names that are not kept. No `cascade`: what others have made is theirs."""
    names = [schema.name for schema in schemas]
    listed = f"where nspname in ({', '.join(map(literal, names))})"
    there = _rows(cursor, f"select relkind::text, nspname, relname from pg_class c join pg_namespace n on n.oid = c.relnamespace {listed}")
    views, tables = ([f"{quoted(name)}.{quoted(table)}" for kind, name, table in there if kind == wanted] for wanted in "vr")
    lost = {schema.shown_name for schema in schemas if schema.shown_name not in kept and not schema.is_open}
    return (
        *([f"drop view {', '.join(views)}"] if views else []),
        *([f"drop table {', '.join(tables)}"] if tables else []),
        f"drop schema {', '.join(map(quoted, names))}",
        *(f"drop role if exists {quoted(group_role(name, database))}" for name in sorted(lost)),
    )


def _own(cursor: Any, product: str = "") -> list[OwnSchema]:
    """The schemas that the platform has made, of one product if it is named."""
    comments = [(name, json.loads(comment)) for name, comment in _rows(cursor, _OWN)]
    own = [OwnSchema(name, said["mesh"], said["version"], said["role"], said["shows"], said["open"]) for name, said in comments]
    return [schema for schema in own if product in ("", schema.product)]


def _rows(cursor: Any, sql: str) -> list[tuple[Any, ...]]:
    cursor.execute(sql)
    return list(cursor.fetchall())


def _one(cursor: Any, sql: str) -> str:
    return str(_rows(cursor, sql)[0][0])


def _said(error: Exception) -> str:
    """What the server says, without our statement, and its detail lines, which may quote values."""
    text = re.sub(r"\s+", " ", re.split(r"\n(?:DETAIL|CONTEXT|HINT)|\. SQLSTATE", str(error))[0]).strip()
    text = re.sub(r"^.*?\[libpq\] (.*\b(?:ERROR|FATAL): )?", "", text)
    return f"PostgreSQL: {text}"
