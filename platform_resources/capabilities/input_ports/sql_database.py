"""The input port interface `sql-database`."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from platform_resources.capabilities.protocols import PullRows
from platform_resources.capabilities.readers.database_rows import DatabaseRows, Deletes
from platform_resources.spec.strict import Strict
from platform_resources.spec.values.channel_urls import url_problem
from platform_resources.spec.values.field_types import Duration, Text


class SqlDatabaseSettings(Strict):
    """Where the table is, and how its changes are known."""

    url: Text
    table: Text
    schema_: Text | None = Field(default=None, alias="schema")
    key: Annotated[tuple[Text, ...], Field(min_length=1)] | None = None
    cursor: Text | None = None
    deletes: Deletes | None = None
    overlap: Duration = timedelta(hours=1)

    @field_validator("url")
    @classmethod
    def _without_a_secret(cls, url: str) -> str:
        problem = url_problem(url)
        if problem is not None:
            raise ValueError(
                f"{problem[0]}; {problem[1].replace('mailto://${SMTP_HOST}/?to=team@example.com', 'postgresql://${USER}@host/shop')}"
            )
        return url

    @model_validator(mode="after")
    def _changes_can_be_told(self) -> "SqlDatabaseSettings":
        if self.cursor is None:
            for name in ("key", "deletes", "overlap"):
                if name in self.model_fields_set:
                    raise ValueError(f"{name} needs a cursor: without one all rows are read at each refresh, and deleted ones are gone")
        elif self.key is None or self.deletes is None:
            raise ValueError(
                "cursor needs key, the columns that tell every row apart, and deletes: a cursor shows no row that was deleted, so write "
                "deletes: compare, which compares all keys at each refresh, or deletes: none if the source deletes no row"
            )
        return self


class SqlDatabaseInput:
    """A table or view of an SQL database, all of it or what has changed since the last refresh. Needs the extra `sources`."""

    name = "sql-database"
    kind = "sql"
    config = SqlDatabaseSettings
    example = """
- name: orders
  type: input-port
  properties:
    interface: sql-database
    url: "postgresql://mesh:${SHOP_PASSWORD}@db.example.com/shop"
    table: orders
    key: [order_id]
    cursor: updated_at
    deletes: compare
"""

    def pull(self, settings: SqlDatabaseSettings) -> PullRows:
        key = settings.key or ()
        rows = DatabaseRows(settings.url, settings.table, settings.schema_, key, settings.cursor, settings.deletes, settings.overlap)
        return PullRows(rows)


CAPABILITY = SqlDatabaseInput()
