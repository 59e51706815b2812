"""Notes of steps and records of versions: texts in one table of a product's database."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from platform_resources.capabilities.measures import Relation
from platform_resources.warehouses.snowflake.sessions import Session, text_sql

TABLE, NOTES = "MESH.NOTES", Relation("mesh", "notes")
POINTER, NEWEST = "pointer", "latest"
_CLAIM = ("claim", "refresh")


def table_of(database: str) -> str:
    """The table of notes of a database."""
    return f'"{database}".{TABLE}'


def remembering(database: str, topic: str, name: str, record: str, only: str = "", over: str = "") -> str:
    """The statement that leaves a text; where conditions are given, `only` if one holds, and `over` a text of which the other does."""
    new = f"select {text_sql(topic)} as TOPIC, {text_sql(name)} as NAME, {text_sql(record)} as RECORD{only and f' where {only}'}"
    return (
        f"merge into {table_of(database)} as kept using ({new}) as new"
        f" on kept.TOPIC = new.TOPIC and kept.NAME = new.NAME when matched{over and f' and {over}'} then update set RECORD = new.RECORD"
        " when not matched then insert (TOPIC, NAME, RECORD) values (new.TOPIC, new.NAME, new.RECORD)"
    )


def _moment(now: datetime) -> str:
    """As claims write it: in UTC, so that texts compare as times."""
    return text_sql(now.isoformat(timespec="seconds"))


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
        """The table of notes by its full name."""
        return table_of(self.session.database)

    def make(self) -> None:
        """Make the table, if there is none."""
        self.session.rows(f"create table if not exists {self.table} (TOPIC varchar, NAME varchar, RECORD varchar)")

    def remembered(self, topic: str) -> dict[str, str]:
        """The texts of a topic by name."""
        rows = self.session.rows(f"select NAME, RECORD from {self.table} where TOPIC = {text_sql(topic)} order by NAME")
        return {str(name): str(record) for name, record in rows}

    def remember(self, topic: str, name: str, record: str, holder: str = "") -> None:
        """Write a note in one statement, so that readers find the old text or the new one; where a holder is given, if the claim is its."""
        self.session.rows(remembering(self.session.database, topic, name, record, only=holder and self.holding(holder)))

    def claim(self, holder: str, former: Collection[str], now: datetime, until: datetime) -> str:
        """One statement, so of two that claim at once one has it. Gives who keeps this one out, and until when."""
        own = ", ".join(map(text_sql, (holder, *former)))
        over = f"(parse_json(kept.RECORD):holder::varchar in ({own}) or parse_json(kept.RECORD):until::varchar < {_moment(now)})"
        record = json.dumps({"holder": holder, "until": until.isoformat(timespec="seconds")})
        self.session.rows(remembering(self.session.database, *_CLAIM, record, over=over))
        kept = json.loads(self.remembered(_CLAIM[0])[_CLAIM[1]])
        return "" if kept["holder"] == holder else f"{kept['holder']}, until {kept['until']} at the latest"

    def let_go(self, holder: str) -> None:
        """Forget the holder's own claim."""
        mine = f"TOPIC = {text_sql(_CLAIM[0])} and parse_json(RECORD):holder::varchar = {text_sql(holder)}"
        self.session.rows(f"delete from {self.table} where {mine}")

    def holding(self, holder: str) -> str:
        """SQL: whether the claim is the holder's. The first refresh had no table to claim in: then nobody else has begun either."""
        mine = f"TOPIC = {text_sql(_CLAIM[0])} and parse_json(RECORD):holder::varchar = {text_sql(holder)}"
        begun = f"TOPIC in ({text_sql(_CLAIM[0])}, {text_sql(POINTER)})"
        return f"(exists (select 1 from {self.table} where {mine}) or not exists (select 1 from {self.table} where {begun}))"

    def holds(self, holder: str) -> bool:
        """Whether it does now."""
        return bool(self.session.rows(f"select 1 where {self.holding(holder)}"))

    def point(self, record: str, holder: str) -> bool:
        """Replace the pointer in one statement, which does nothing where the claim is not the holder's any more."""
        self.session.rows(remembering(self.session.database, POINTER, NEWEST, record, only=self.holding(holder)))
        return bool(json.loads(self.remembered(POINTER).get(NEWEST, "{}")) == json.loads(record))

    def replace(self, topic: str, name: str, record: str) -> None:
        """Write a note in two statements of the open transaction."""
        self.forget(topic, name)
        self.session.rows(
            f"insert into {self.table} (TOPIC, NAME, RECORD) values ({text_sql(topic)}, {text_sql(name)}, {text_sql(record)})"
        )

    def forget(self, topic: str, name: str | None = None, holder: str = "") -> None:
        """Take away what was left under a topic, all of it where no name is given; where a holder is given, if the claim is its."""
        named = "" if name is None else f" and NAME = {text_sql(name)}"
        held = holder and f" and {self.holding(holder)}"
        self.session.rows(f"delete from {self.table} where TOPIC = {text_sql(topic)}{named}{held}")
