"""Sessions with Snowflake: how one is opened and used again, which errors it raises, and what names are called there."""

import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, redirect_stdout, suppress
from copy import deepcopy
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import snowflake.connector
from snowflake.connector.errors import Error

from platform_resources.capabilities.measures import Relation
from platform_resources.capabilities.support.sql_text import literal, quoted
from platform_resources.redaction.redaction import Mask, environment_secrets
from platform_resources.settings import (
    ACCOUNT,
    AUTHENTICATOR,
    COMPUTE,
    HOST,
    KEY_FILE,
    KEY_PASSWORD,
    PASSWORD,
    PORT,
    PREFIX,
    PROTOCOL,
    QUERY_TAG,
    ROLE,
    SIGN_IN_TOKEN,
    STATEMENT_TIMEOUT,
    USER,
)
from platform_resources.warehouses.engine_errors import EngineError, NotSupported, QueryTooSlow, StatementRefused
from platform_resources.warehouses.idle_connections import IdleConnections, OpenConnection
from platform_resources.warehouses.limits import SettingInvalid, statement_time

# Makes a connection from arguments that are called as `dagster_snowflake.SnowflakeResource` calls them.
Connect = Callable[[Mapping[str, Any]], AbstractContextManager[Any]]

# Seconds after which the connector gives a request up that the network or Snowflake does not answer well; by itself it tries for ever.
# It also breaks statements off then, so those that move rows are given longer.
NETWORK_TIMEOUT, LOGIN_TIMEOUT = 120, 60
# The connector would ask at each connection on whose cloud it runs, and wait for an answer.
NO_DETECTION = 0.0
_MOVING = re.compile(r"\s*(copy|create|delete|insert|merge|put|update)\b", re.IGNORECASE)
_NEEDED = (ACCOUNT, USER, ROLE, COMPUTE, PREFIX)
_TIMES = "YYYY-MM-DD HH24:MI:SS.FF6"
_SESSION = {"TIMEZONE": "UTC", "TIMESTAMP_NTZ_OUTPUT_FORMAT": _TIMES, "TIMESTAMP_TZ_OUTPUT_FORMAT": f"{_TIMES}TZH:TZM"}
_PLAIN, _CAPITALS = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*"), re.compile(r"[A-Z_][A-Z0-9_$]*")
MISSING, _NO_SUCH_OBJECT, _BROKEN_OFF = 2003, 2043, (604, 630)
# Numbers of errors: who is not let in (Snowflake's), what is not reached (the connector's), compute that does not run (Snowflake's).
_LOGIN, _NETWORK, _COMPUTE = range(390000, 391000), (*range(250000, 250100), *range(253000, 253100)), (606, 609, 90073)
_NOT_LET_IN = "28000"
# Snowflake ends sessions by itself that nobody has used for some hours.
IDLE = IdleConnections(most=8, seconds=600.0)
# A session that nobody has used for so long is asked whether it is there still, and has so long to answer.
SURE_SECONDS, _ANSWER_SECONDS = 5.0, 3
# What leaves a session in another state than it was opened in. All names say their schema, so another schema changes nothing.
_CHANGING = re.compile(
    r"(\s|/\*.*?\*/|--[^\n]*\n)*(alter\s+session|begin|start\s+transaction|(un)?set\s|use\s+(?!schema\b)"
    r"|(create|drop)\s+(or\s+replace\s+)?((transient|local|global)\s+)*(database|temp)\b|create\s+(or\s+replace\s+)?temporary)",
    re.IGNORECASE | re.DOTALL,
)


def connection_arguments(environment: Mapping[str, str]) -> dict[str, Any]:
    """Who connects to what, by the names that SnowflakeResource has for it. Raises SettingInvalid, which names what is not set."""
    lost, signing_in = [setting.name for setting in _NEEDED if not setting.value(environment)], AUTHENTICATOR.value(environment)
    if not any((signing_in, PASSWORD.value(environment), KEY_FILE.value(environment))):
        lost.append(f"{PASSWORD.name}, {KEY_FILE.name} or {AUTHENTICATOR.name}")
    if signing_in.lower() == "oauth" and not SIGN_IN_TOKEN.value(environment):
        lost.append(SIGN_IN_TOKEN.name)
    if lost:
        raise SettingInvalid(
            f"MESH_TARGET is snowflake, and these variables are not set: {', '.join(lost)}; docs/snowflake.md says what they are"
        )
    named = {"account": ACCOUNT, "user": USER, "role": ROLE, "warehouse": COMPUTE}
    beside = {"host": HOST, "port": PORT, "protocol": PROTOCOL}
    # dbt gives its connector all of them, which takes the key then: so it goes before the others here too.
    if KEY_FILE.value(environment):
        named |= {"private_key_path": KEY_FILE, "private_key_password": KEY_PASSWORD}
    else:
        named |= {"authenticator": AUTHENTICATOR, "password": PASSWORD}
        beside |= {"token": SIGN_IN_TOKEN} if signing_in else {}
    more = {name: setting.value(environment) for name, setting in beside.items()}
    return {
        **{name: value for name, setting in named.items() if (value := setting.value(environment))},
        "login_timeout": LOGIN_TIMEOUT,
        "network_timeout": NETWORK_TIMEOUT,
        "additional_snowflake_connection_args": {
            **{name: value for name, value in more.items() if value},
            "platform_detection_timeout_seconds": NO_DETECTION,
            # So that a browser opens once, and not for each connection; dbt says the same to its connector.
            **({"client_store_temporary_credential": True} if signing_in else {}),
            "session_parameters": dict(_SESSION),  # the connector writes into it
        },
    }


@contextmanager
def connected(arguments: Mapping[str, Any]) -> Iterator[Any]:
    """A connection as SnowflakeResource makes it, without Dagster, whose import takes longer than most queries."""
    given = dict(arguments)
    given |= given.pop("additional_snowflake_connection_args")
    key, password = given.pop("private_key_path", None), given.pop("private_key_password", None)
    files = {"private_key_file": key, **({"private_key_file_pwd": password} if password else {})} if key else {}
    with snowflake.connector.connect(**given, **files) as connection:
        yield connection


class Session:
    """A connection that is open in one database; what it runs is in Snowflake's own SQL."""

    def __init__(self, connection: Any, database: str) -> None:
        self.connection, self.database, self.is_changed = connection, database, False
        self._time: timedelta | None = None
        self._until = 0.0

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows that a statement gives."""
        return self.described(sql)[1]

    def described(self, sql: str, most: int | None = None) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Column names as they are shown, and all rows, or so many of them."""
        with self._ran(sql, self._seconds_left(sql)) as cursor:
            return [shown_name(column[0]) for column in cursor.description or ()], (
                cursor.fetchall() if most is None else cursor.fetchmany(most)
            )

    @contextmanager
    def _ran(self, sql: str, seconds: int | None) -> Iterator[Any]:
        """A cursor that has run the statement."""
        self.is_changed = self.is_changed or _CHANGING.match(sql) is not None
        tag = QUERY_TAG.value(os.environ)  # of each statement: the next one of the session may be another step's
        with errors_translated(self._time), self.connection.cursor() as cursor:
            cursor.execute(sql, timeout=seconds, _statement_params={"QUERY_TAG": tag} if tag else None)
            yield cursor

    def first(self, sql: str) -> Sequence[Any]:
        """The first row; empty when there is none."""
        return next(iter(self.rows(sql)), ())

    def arrow(self, sql: str) -> Iterator[Any]:
        """The rows in Arrow tables, so that a large result never has to be held at once."""
        with self._ran(sql, moving_seconds()) as cursor:
            yield from cursor.fetch_arrow_batches()

    @contextmanager
    def limited(self, allowed: timedelta) -> Iterator[None]:
        """What runs inside, together, takes no longer. Raises QueryTooSlow."""
        self._time, self._until = allowed, time.monotonic() + allowed.total_seconds()
        try:
            yield
        finally:
            self._time = None

    def _seconds_left(self, sql: str) -> int | None:
        if self._time is None:
            return moving_seconds() if _MOVING.match(sql) else None
        left = self._until - time.monotonic()
        if left <= 0:
            raise QueryTooSlow(self._time)
        return max(1, round(left))


def moving_seconds() -> int:
    """How long a statement that moves rows may take, and how long a lost connection is tried again while it does."""
    return round(statement_time(os.environ).total_seconds())


@contextmanager
def session(connect: Connect, database: str, compute: str = "") -> Iterator[Session]:
    """A session in a product's database, there or not, on this compute or the usual one. Raises EngineError, SettingInvalid.

    Signing in takes longer than most statements, so a session stays open for its next use in this process: unless something went wrong
    in it, or it is not in the state any more in which it was opened.
    """
    own = {"warehouse": compute} if compute else {}
    arguments = {**connection_arguments(os.environ), "database": database, "schema": "MESH", **own}
    opened = IDLE.take((connect, arguments))
    if opened is not None and not _is_there(opened):
        opened.end()
        opened = None
    opened = opened or _opened(connect, arguments)
    used = Session(opened.connection, database)
    try:
        yield used
    except BaseException:
        opened.end()
        raise
    # Of a database that was not there when it was opened, a session is outside.
    if used.is_changed or (opened.connection.database is None and database != PREFIX.value(os.environ)):
        opened.end()
    else:
        IDLE.keep(opened)


def _is_there(idle: OpenConnection) -> bool:
    if time.monotonic() - idle.idle_since < SURE_SECONDS:
        return True
    try:
        asked = f"/session/heartbeat?requestId={uuid4()}"
        return bool(idle.connection.rest.request(asked, {}, timeout=_ANSWER_SECONDS).get("success"))
    except Error:
        return False


def _opened(connect: Connect, arguments: Mapping[str, Any]) -> OpenConnection:
    with errors_translated(), _signing_in():
        closing = connect(deepcopy(dict(arguments)))
        connection = closing.__enter__()
    return OpenConnection((connect, arguments), connection, partial(_end, connection, closing))


def _end(connection: Any, closing: AbstractContextManager[Any]) -> None:
    """Nothing is left to be committed. Whoever has opened it would do that, by one more statement, but not after an error."""
    connection.close(retry=False)
    ended = EngineError("the session has ended")
    with suppress(Error, EngineError):
        closing.__exit__(EngineError, ended, None)


@contextmanager
def _signing_in() -> Iterator[None]:
    """What is said while a browser is waited for is no answer, and goes where messages go. Raises EngineError for a key that is none."""
    try:
        with redirect_stdout(sys.stderr) if AUTHENTICATOR.value(os.environ) else nullcontext():
            yield
    except (OSError, TypeError, ValueError) as error:
        if not KEY_FILE.value(os.environ):
            raise
        raise EngineError(
            f"the private key that {KEY_FILE.name} names cannot be read: {_told(error)}; it is a file in PEM form, "
            f"and {KEY_PASSWORD.name} has its password where it is encrypted"
        ) from None


@contextmanager
def errors_translated(allowed: timedelta | None = None) -> Iterator[None]:
    """Snowflake's errors inside become those of every warehouse, without a secret of the environment."""
    try:
        yield
    except Error as error:
        if error.errno in _BROKEN_OFF and allowed is not None:
            raise QueryTooSlow(allowed) from None
        text = explained(error)
        if error.errno in _BROKEN_OFF:
            text = f"{text}; {STATEMENT_TIMEOUT.name}, and statement_timeout of compute in domain.yaml, allow longer"
        refused = str(error.sqlstate or "").startswith("42") or error.errno == _NO_SUCH_OBJECT
        raised = (StatementRefused if refused else EngineError)(text)
        raised.code = error.errno  # type: ignore[attr-defined]
        raise raised from None


def explained(error: Error) -> str:
    """The error's text, and what to do about it where that is known. No published version is touched by any of these."""
    text = _told(error.msg or error)
    if error.sqlstate == _NOT_LET_IN or error.errno in _LOGIN:
        user, ways = USER.value(os.environ), " or ".join(setting.name for setting in (PASSWORD, KEY_FILE, SIGN_IN_TOKEN))
        return f"Snowflake does not let {user} in: {text}; renew what {ways} says, then do it again"
    if error.errno in _COMPUTE:
        named = f"{COMPUTE.name} and compute in domain.yaml say which it is"
        return f"no warehouse computes for this: {text}; resume it or raise its limit of credits ({named}), then do it again"
    if error.errno in _NETWORK:
        return f"Snowflake cannot be reached, or does not answer: {text}; do it again once it does"
    return text


def _told(error: object) -> str:
    return Mask(environment_secrets(os.environ, frozenset()))(str(error)).strip()


def is_missing(error: EngineError) -> bool:
    """Whether Snowflake knows no such database, schema or table; it says the same of one that the role may not see."""
    return getattr(error, "code", None) == MISSING


# Names


def database_name(domain: str, product: str, environment: Mapping[str, str]) -> str:
    """The database of a product. Raises NotSupported for names that could be taken for those of another product."""
    for name in (domain, product):
        if "__" in name or name.startswith("_") or name.endswith("_"):
            raise NotSupported(f"{name} cannot be on Snowflake: __ stands between domain and product in the names of databases there")
    return f"{PREFIX.value(environment)}__{domain}__{product}".upper()


def product_of_database(database: str, environment: Mapping[str, str]) -> tuple[str, str] | None:
    """Domain and name of the product whose database it is; None if it is no product's."""
    prefix = f"{PREFIX.value(environment)}__".upper()
    domain, _, product = database.upper().removeprefix(prefix).partition("__")
    return (domain.lower(), product.lower()) if database.upper().startswith(prefix) and product and "__" not in product else None


def name_sql(name: str) -> str:
    """A name in quotes: in capitals where it needs none, as everything is called there whose name was written without."""
    return quoted(name.upper() if _PLAIN.fullmatch(name) else name)


def shown_name(name: str) -> str:
    """The name as a specification writes it."""
    return name.lower() if _CAPITALS.fullmatch(name) else name


def relation_name(relation: Relation) -> str:
    """The relation's name with its schema."""
    return f"{name_sql(relation.schema)}.{name_sql(relation.name)}"


def text_sql(value: str) -> str:
    """A text in SQL: Snowflake takes a backslash within it for the beginning of an escape."""
    return literal(value.replace("\\", "\\\\"))
