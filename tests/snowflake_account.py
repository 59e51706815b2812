"""What fakesnow lacks of an account: roles, grants, compute, limits, tags and policies, and what SHOW tells of them.

A stand-in for tests of what the platform asks of Snowflake, written after Snowflake's reference of each statement. It knows the statements
that the platform sends and refuses every other; it enforces nothing. What is no such statement goes to fakesnow.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from snowflake.connector.errors import ProgrammingError

NAME = r'("(?:[^"]|"")+"(?:\."(?:[^"]|"")+")*)'
LONGEST = r"(?: statement_timeout_in_seconds = (\d+))?"
COMMENT = r"(?: comment = '((?:[^']|'')*)')?"


def plain(name):
    return name.replace('"', "")


@dataclass
class Account:
    """What there is. `users` and `groups` are those that an administrator has made; `steps` are
    statements until a death, `refused` what statements begin with that may not be run."""

    users: set = field(default_factory=set)
    groups: set = field(default_factory=lambda: {"PUBLIC"})
    roles: dict = field(default_factory=dict)
    members: set = field(default_factory=set)
    privileges: set = field(default_factory=set)
    future: set = field(default_factory=set)
    warehouses: dict = field(default_factory=dict)
    limits: dict = field(default_factory=dict)
    managed: set = field(default_factory=set)
    dropped: set = field(default_factory=set)
    tags: set = field(default_factory=set)
    policies: dict = field(default_factory=dict)
    references: set = field(default_factory=set)
    classes: dict = field(default_factory=dict)
    done: list = field(default_factory=list)
    passed: list = field(default_factory=list)
    steps: int | None = None
    refused: str = ""

    def answer(self, sql):
        """Column names and rows of a statement that fakesnow does not know; None for one that it does."""
        for pattern, act in STATEMENTS:
            found = re.fullmatch(pattern, sql, re.DOTALL)
            if found:
                self._count(sql)
                return act(self, *found.groups()) or (["status"], [("done",)])
        if re.match(r"(create|alter|drop|insert|merge|delete|update)\b", sql):
            self._count(sql)
        if re.match(
            r"(grant|revoke|show (roles|grants|future|tags|masking|row|resource))\b|create (role|warehouse|tag|masking|row)\b", sql
        ):
            raise ProgrammingError(f"the stand-in does not know: {sql}", errno=1003, sqlstate="42000")
        return None

    def _count(self, sql):
        """A statement that changes something: before it the process may die. Who refreshes a product right now is no such thing."""
        if sql.startswith(("show", "select")) or "'claim'" in sql:
            return
        if self.steps is not None:
            if self.steps == 0:
                raise Died(sql)
            self.steps -= 1
        if self.refused and sql.startswith(self.refused):
            raise ProgrammingError("Insufficient privileges to operate.", errno=3001, sqlstate="42501")
        self.done.append(sql)

    # Statements

    def make_role(self, name, comment):
        self.roles.setdefault(plain(name), comment or "")

    def drop_role(self, name):
        gone = plain(name)
        self.roles.pop(gone, None)
        self.members = {each for each in self.members if gone not in (each[0], each[2])}
        self.privileges = {each for each in self.privileges if each[3] != gone}
        self.future = {each for each in self.future if each[2] != gone}

    def give_role(self, role, kind, member):
        member = plain(member)
        if member not in (self.users if kind == "user" else self.groups | set(self.roles)):
            raise ProgrammingError(f"{kind} {member} does not exist or not authorized.", errno=2003, sqlstate="02000")
        self.members.add((plain(role), kind.upper(), member))

    def take_role(self, role, kind, member):
        self.members.discard((plain(role), kind.upper(), plain(member)))

    def give(self, privilege, kind, name, role):
        self.privileges.add((privilege.upper(), kind.upper(), plain(name), plain(role)))

    def take(self, privilege, kind, name, role):
        self.privileges.discard((privilege.upper(), kind.upper(), plain(name), plain(role)))

    def give_future(self, which, kind, schema, role):
        if which == "future":
            assert plain(schema) in self.managed, "only who owns a managed schema gives what will be in it"
            self.future.add((kind.upper(), plain(schema), plain(role)))

    def take_future(self, which, kind, schema, role):
        if which == "future":
            self.future.discard((kind.upper(), plain(schema), plain(role)))

    def make_compute(self, name, size, seconds, longest, comment):
        if plain(name) not in self.warehouses:
            self.warehouses[plain(name)] = {"limit": "null", "comment": comment}
            self.set_compute(name, size, seconds, longest)

    def set_compute(self, name, size, seconds, longest):
        self.warehouses[plain(name)] |= {"size": size, "seconds": seconds, **({"longest": longest} if longest else {})}

    def set_limit_of(self, name, limit):
        assert plain(limit) in self.limits
        self.warehouses[plain(name)]["limit"] = plain(limit)

    def unset_limit_of(self, name):
        if plain(name) in self.warehouses:
            self.warehouses[plain(name)]["limit"] = "null"

    def set_policy(self, name, body=None, comment=None):
        self.policies[plain(name)] |= {key: value for key, value in {"body": body, "comment": comment}.items() if value is not None}

    def refer(self, entity, policy):
        assert plain(policy) in self.policies
        self.references.add((plain(entity), plain(policy)))

    def classify(self, table, column, tag, value):
        assert plain(tag) in self.tags
        self.classes[plain(table), plain(column)] = value

    # SHOW

    def show_longest(self, compute):
        longest = self.warehouses[compute].get("longest")
        return ("STATEMENT_TIMEOUT_IN_SECONDS", longest or "172800", "172800", "WAREHOUSE" if longest else "")

    def show_members(self, of):
        rows = [(None, role, kind, name) for role, kind, name in sorted(self.members) if role == of]
        return ["created_on", "role", "granted_to", "grantee_name"], rows

    def show_privileges(self, role):
        given = [(None, *each[:3]) for each in sorted(self.privileges) if each[3] == plain(role)]
        given += [(None, "USAGE", "ROLE", has) for has, kind, name in sorted(self.members) if (kind, name) == ("ROLE", plain(role))]
        return ["created_on", "privilege", "granted_on", "name"], given

    def show_policies(self, kind, schema):
        there = [(each, policy["comment"]) for each, policy in sorted(self.policies.items()) if policy["kind"] == kind]
        own = [(each.rpartition(".")[2], comment) for each, comment in there if each.startswith(f"{plain(schema)}.")]
        return ["name", "comment"], own

    def show_references(self, entity):
        return ["POLICY_NAME"], [(policy.rpartition(".")[2],) for of, policy in sorted(self.references) if of == plain(entity)]


class Died(BaseException):
    """What ends the process before a statement."""


def _set(name, add=True):
    def act(account, *found):
        getattr(account, name).add(plain(found[0])) if add else getattr(account, name).discard(plain(found[0]))

    return act


STATEMENTS = (
    (rf"create role if not exists {NAME}{COMMENT}", Account.make_role),
    (rf"drop role if exists {NAME}", Account.drop_role),
    (rf"grant role {NAME} to (user|role) {NAME}", Account.give_role),
    (rf"revoke role {NAME} from (user|role) {NAME}", Account.take_role),
    (rf"(?:grant|revoke) select on (all) (table|view)s in schema {NAME} (?:to|from) role {NAME}", Account.give_future),
    (rf"grant select on (future) (table|view)s in schema {NAME} to role {NAME}", Account.give_future),
    (rf"revoke select on (future) (table|view)s in schema {NAME} from role {NAME}", Account.take_future),
    (rf"grant (usage|select) on (database|schema|view|warehouse) {NAME} to role {NAME}", Account.give),
    (rf"revoke (usage|select|[a-z]+) on (database|schema|view|table|warehouse) {NAME} from role {NAME}", Account.take),
    (
        rf"create warehouse if not exists {NAME} warehouse_size = (\w+) auto_suspend = (\d+) auto_resume = true initially_suspended = true{LONGEST}{COMMENT}",
        Account.make_compute,
    ),
    (rf"alter warehouse {NAME} set warehouse_size = (\w+) auto_suspend = (\d+){LONGEST}", Account.set_compute),
    (
        rf"alter warehouse {NAME} unset statement_timeout_in_seconds",
        lambda account, name: account.warehouses[plain(name)].pop("longest", None) and None,
    ),
    (rf"alter warehouse {NAME} set resource_monitor = {NAME}", Account.set_limit_of),
    (rf"alter warehouse (?:if exists )?{NAME} unset resource_monitor", Account.unset_limit_of),
    (rf"drop warehouse if exists {NAME}", lambda account, name: account.warehouses.pop(plain(name), None) and None),
    (
        rf"create resource monitor if not exists {NAME} with credit_quota = (\d+) frequency = monthly start_timestamp = immediately "
        r"triggers on 80 percent do notify on 100 percent do suspend",
        lambda account, name, quota: account.limits.setdefault(plain(name), quota) and None,
    ),
    (rf"alter resource monitor {NAME} set credit_quota = (\d+)", lambda account, name, quota: account.limits.update({plain(name): quota})),
    (rf"drop resource monitor if exists {NAME}", lambda account, name: account.limits.pop(plain(name), None) and None),
    (rf"alter schema {NAME} enable managed access", _set("managed")),
    (rf"create tag if not exists {NAME}{COMMENT}", _set("tags")),
    (
        rf"create (masking) policy if not exists {NAME} as \(VAL [^)]+(?:\(\d+(?:,\d+)?\))?\) returns \S+ -> (.*?){COMMENT}",
        lambda account, kind, name, body, comment: (
            account.policies.setdefault(plain(name), {"kind": kind, "body": body, "comment": comment}) and None
        ),
    ),
    (
        rf"create (row access) policy if not exists {NAME} as \(VERSION varchar\) returns boolean -> (.*?){COMMENT}",
        lambda account, kind, name, body, comment: (
            account.policies.setdefault(plain(name), {"kind": kind, "body": body, "comment": comment}) and None
        ),
    ),
    (
        rf"alter (?:masking|row access) policy {NAME} set comment = '(.*)'",
        lambda account, name, told: account.set_policy(name, comment=told),
    ),
    (rf"alter (?:masking|row access) policy {NAME} set body -> (.*)", lambda account, name, body: account.set_policy(name, body=body)),
    (rf"drop (?:masking|row access) policy if exists {NAME}", lambda account, name: account.policies.pop(plain(name), None) and None),
    (rf"alter tag {NAME} set masking policy {NAME}", Account.refer),
    (rf"alter tag {NAME} unset masking policy {NAME}", lambda account, *pair: account.references.discard(tuple(map(plain, pair)))),
    (rf"alter table {NAME} add row access policy {NAME} on \(_MESH_VERSION\)", Account.refer),
    (rf"alter table {NAME} drop row access policy {NAME}", lambda account, *pair: account.references.discard(tuple(map(plain, pair)))),
    (rf"alter table {NAME} modify column {NAME} set tag {NAME} = '(.*)'", Account.classify),
    (r"show roles", lambda account: (["name", "comment"], sorted({**dict.fromkeys(account.groups, ""), **account.roles}.items()))),
    (rf"show grants of role {NAME}", lambda account, role: account.show_members(plain(role))),
    (rf"show grants to role {NAME}", lambda account, role: account.show_privileges(role)),
    (
        rf"show future grants to role {NAME}",
        lambda account, role: (
            ["privilege", "grant_on", "name"],
            [("SELECT", kind, f"{schema}.<{kind}>") for kind, schema, to in sorted(account.future) if to == plain(role)],
        ),
    ),
    (
        r"show warehouses",
        lambda account: (
            ["name", "size", "auto_suspend", "resource_monitor", "comment"],
            [
                (name, has["size"].capitalize(), int(has["seconds"]), has["limit"], has["comment"])
                for name, has in account.warehouses.items()
            ],
        ),
    ),
    (
        rf"show parameters like 'STATEMENT_TIMEOUT_IN_SECONDS' in warehouse {NAME}",
        lambda account, name: (["key", "value", "default", "level"], [account.show_longest(plain(name))]),
    ),
    (
        r"show resource monitors",
        lambda account: (["name", "credit_quota"], [(name, f"{quota}.00") for name, quota in account.limits.items()]),
    ),
    (
        rf"show tags in schema {NAME}",
        lambda account, schema: (
            ["name"],
            [(each.rpartition(".")[2],) for each in sorted(account.tags) if each.startswith(f"{plain(schema)}.")],
        ),
    ),
    (rf"show (masking|row access) policies in schema {NAME}", Account.show_policies),
    (
        rf"select distinct POLICY_NAME from table\({NAME}\.INFORMATION_SCHEMA\.POLICY_REFERENCES\(ref_entity_name => '(.*)', .*\)\)",
        lambda account, _, entity: account.show_references(entity),
    ),
    (
        rf"select COLUMN_NAME, TAG_VALUE from table\({NAME}\.INFORMATION_SCHEMA\.TAG_REFERENCES_ALL_COLUMNS\('(.*)', 'table'\)\) where .*",
        lambda account, _, table: (
            ["COLUMN_NAME", "TAG_VALUE"],
            [(column, value) for (of, column), value in sorted(account.classes.items()) if of == plain(table)],
        ),
    ),
)


class Cursor:
    """A cursor of the account, beside one of fakesnow."""

    def __init__(self, account, real):
        self.account, self.real, self.told = account, real, None

    def execute(self, sql, timeout=None, **more):
        self.told = self.account.answer(sql)
        if self.told is not None:
            return
        if sql.startswith("drop database if exists"):
            self.told = self._drop(plain(sql.split()[-1]))
            return
        if sql == "show databases":
            self.real.execute(sql)
            names = [column[0] for column in self.real.description]
            rows = [row for row in self.real.fetchall() if row[names.index("name")] not in self.account.dropped]
            self.told = names, rows
            return
        if sql.startswith("show schemas in database"):
            self.told = self._schemas(sql)
            return
        if sql.endswith(" with managed access"):
            sql = sql.removesuffix(" with managed access")
            name = plain(sql.split()[-1])
            database, _, schema = name.partition(".")
            if schema not in [row[1] for row in self._schemas(f'show schemas in database "{database}"')[1]]:
                self.account.managed.add(name)
        if sql.startswith("drop schema"):
            self.account.managed.discard(plain(sql.split()[-1]))
        self.account.passed.append(sql)
        self.real.execute(sql, timeout=timeout, **more)

    def _drop(self, database):
        """fakesnow drops no database: what is in it goes, and nobody is shown it any more."""
        names, rows = self._schemas(f'show schemas in database "{database}"')
        for row in rows:
            if (schema := row[names.index("name")]) not in ("INFORMATION_SCHEMA", "PUBLIC"):
                self.real.execute(f'drop schema if exists "{database}"."{schema}" cascade')
        self.account.dropped.add(database)
        return ["status"], []

    @property
    def description(self):
        return self.real.description if self.told is None else [(name,) for name in self.told[0]]

    def fetchall(self):
        return self.real.fetchall() if self.told is None else self.told[1]

    def _schemas(self, sql):
        """As fakesnow tells them, and which are managed."""
        self.real.execute(sql)
        names, rows = [column[0] for column in self.real.description], self.real.fetchall()
        database = plain(sql.split()[-1])
        options = ["MANAGED ACCESS" if f"{database}.{row[names.index('name')]}" in self.account.managed else None for row in rows]
        return [*names, "options"], [(*row, option) for row, option in zip(rows, options, strict=True)]

    def __getattr__(self, name):
        return getattr(self.real, name)


class Connection:
    """A connection to the account."""

    def __init__(self, account, real):
        self.account, self.real = account, real

    @contextmanager
    def cursor(self):
        with self.real.cursor() as real:
            yield Cursor(self.account, real)

    def __getattr__(self, name):
        return getattr(self.real, name)


def connecting(account, connected):
    """What connects to the account where `connected` connects to fakesnow."""

    @contextmanager
    def connect(arguments) -> Iterator[Connection]:
        with connected(arguments) as real:
            yield Connection(account, real)

    return connect
