"""Notes of steps and records of versions: texts in one table of a product's database."""

from dataclasses import dataclass

from platform_resources.capabilities.measures import Relation
from platform_resources.warehouses.snowflake.sessions import Session, text_sql

TABLE, NOTES = "MESH.NOTES", Relation("mesh", "notes")
POINTER, NEWEST = "pointer", "latest"


def table_of(database: str) -> str:
    """The table of notes of a database."""
    return f'"{database}".{TABLE}'


def remembering(database: str, topic: str, name: str, record: str) -> str:
    """The statement that leaves a text."""
    new = f"select {text_sql(topic)} as TOPIC, {text_sql(name)} as NAME, {text_sql(record)} as RECORD"
    return (
        f"merge into {table_of(database)} as kept using ({new}) as new"
        " on kept.TOPIC = new.TOPIC and kept.NAME = new.NAME when matched then update set RECORD = new.RECORD"
        " when not matched then insert (TOPIC, NAME, RECORD) values (new.TOPIC, new.NAME, new.RECORD)"
    )


def newest_version(database: str) -> str:
    """SQL: the id of the version of a database that is published now."""
    condition = f"TOPIC = {text_sql(POINTER)} and NAME = {text_sql(NEWEST)}"
    return f"(select parse_json(RECORD):latest::varchar from {table_of(database)} where {condition})"


@dataclass(frozen=True, slots=True)
class Notes:
    """The notes of the product whose database the session is in."""

    session: Session

    @property
    def table(self) -> str:
        return table_of(self.session.database)

    def make(self) -> None:
        """Make the table, if there is none."""
        self.session.rows(f"create table if not exists {self.table} (TOPIC varchar, NAME varchar, RECORD varchar)")

    def remembered(self, topic: str) -> dict[str, str]:
        """The texts of a topic by name."""
        rows = self.session.rows(f"select NAME, RECORD from {self.table} where TOPIC = {text_sql(topic)} order by NAME")
        return {str(name): str(record) for name, record in rows}

    def remember(self, topic: str, name: str, record: str) -> None:
        """One statement: whoever reads finds the old text or the new one."""
        self.session.rows(remembering(self.session.database, topic, name, record))

    def replace(self, topic: str, name: str, record: str) -> None:
        """As `remember`, in two statements of a transaction."""
        self.forget(topic, name)
        self.session.rows(
            f"insert into {self.table} (TOPIC, NAME, RECORD) values ({text_sql(topic)}, {text_sql(name)}, {text_sql(record)})"
        )

    def forget(self, topic: str, name: str | None = None) -> None:
        """Take away what was left under a topic, all of it where no name is given."""
        named = "" if name is None else f" and NAME = {text_sql(name)}"
        self.session.rows(f"delete from {self.table} where TOPIC = {text_sql(topic)}{named}")
