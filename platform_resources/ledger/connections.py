"""A connection to the ledger's database, within one transaction, and the error that it raises where the database fails."""

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

DatabaseFailed = DBAPIError

__all__ = ["Connection", "DatabaseFailed"]
