"""Explain a failing database: what to do, derived from its error message."""

import sqlite3
from collections.abc import Iterator

from sqlalchemy.exc import DBAPIError

# The database's words, in small letters, and what helps.
REMEDIES = (
    (("is locked", "busy"), "another process is writing to it and does not end; wait for it, or end it, and try again"),
    (("is full", "no space left", "disk i/o error"), "make room on the disk, and try again"),
    (
        ("malformed", "not a database", "corrupt"),
        "the file is damaged: restore it from a backup; without one, move it away, and a new one is made of what is known elsewhere",
    ),
    (("readonly", "read-only", "permission denied", "not a directory"), "`mesh` must be able to write there"),
    (("no such table", "no such column", "does not exist"), "it is not as this platform made it: restore it from a backup"),
    (("connect", "server", "terminat", "shut"), "see that the server runs and can be reached from here, and try again"),
)
OTHERWISE = "see that the database is well, and try again"


def remedy(message: str) -> str:
    """What to do about a database error with this text; general advice if the error is not known."""
    words = message.lower()
    return next((helps for said, helps in REMEDIES if any(word in words for word in said)), OTHERWISE)


def database_advice(error: BaseException) -> str:
    """What a database said that this error is about, and what helps; empty where it is about none."""
    for cause in _causes(error):
        if isinstance(cause, DBAPIError | sqlite3.Error):
            message = str(cause.orig if isinstance(cause, DBAPIError) else cause).strip()
            return f"{message}\n{remedy(message)}"
    return ""


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Others wrap what a database has raised."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
