"""Change relations and notes of a product all or nothing, though Snowflake commits each statement that makes or drops something."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from platform_resources.capabilities.measures import Relation
from platform_resources.warehouses.snowflake.kept_notes import Notes
from platform_resources.warehouses.snowflake.sessions import Session, relation_name
from platform_resources.warehouses.snowflake.version_tables import kinds_of


@dataclass(slots=True)
class _Changes:
    """What a transaction will do at its end: relations made under another name, statements that put them in place, and notes.

    `grown` has, for each relation that gets rows behind those that are there, its new columns as they are declared.
    """

    made: dict[Relation, Relation] = field(default_factory=dict)
    grown: dict[Relation, tuple[str, ...]] = field(default_factory=dict)
    statements: list[str] = field(default_factory=list)
    notes: list[tuple[str, str | None, str | None]] = field(default_factory=list)

    def seen(self, topic: str, kept: dict[str, str]) -> dict[str, str]:
        """The notes of a topic as the transaction would leave them."""
        for about, name, record in self.notes:
            if about != topic:
                continue
            if name is None:
                kept = {}
            elif record is None:
                kept.pop(name, None)
            else:
                kept[name] = record
        return dict(sorted(kept.items()))


class StagedChanges:
    """What a session changes of a product's relations and notes; inside a transaction, at its end."""

    def __init__(self, session: Session, notes: Notes) -> None:
        self.session, self.notes = session, notes
        self._changes: _Changes | None = None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Snowflake commits each statement that makes or drops something. So what is made gets another name until the end.

        At the end the notes go first that will be replaced: a process that dies before the new ones are there leaves data of which
        nothing is noted, and that is pulled or built anew; never data with the notes of other data. Rows that come behind others cannot
        be pulled anew, as their files may be gone: they and the notes are written in one transaction of Snowflake's own.
        """
        changes = self._changes = _Changes()
        try:
            yield
        except BaseException:
            self._changes = None
            for staged in changes.made.values():
                self._drop_now(staged)
            raise
        self._changes = None
        if changes.statements:
            for topic, name, _ in changes.notes:
                self.notes.forget(topic, name)
        for statement in changes.statements:
            self.session.rows(statement)
        if changes.grown:
            self._grow(changes)
            return
        for topic, name, record in changes.notes:
            self._note(topic, name, record)

    def _grow(self, changes: _Changes) -> None:
        """Commit notes together with the rows that relations have grown by. A new column without a value may stay if that fails."""
        for relation, columns in changes.grown.items():
            for column in columns:
                self.session.rows(f"alter table {relation_name(relation)} add column {column}")
        self.session.rows("begin")
        try:
            for relation in changes.grown:
                self.session.rows(f"insert overwrite into {relation_name(relation)} select * from {relation_name(self.staged(relation))}")
            for topic, name, record in changes.notes:
                if name is not None and record is not None:
                    self.notes.replace(topic, name, record)
                else:
                    self.notes.forget(topic, name)
            self.session.rows("commit")
        except BaseException:
            self.session.rows("rollback")
            raise
        for relation in changes.grown:
            self._drop_now(self.staged(relation))

    @contextmanager
    def changing(self) -> Iterator[_Changes]:
        """The changes of the transaction, or of one of its own."""
        if self._changes is not None:
            yield self._changes
        else:
            with self.transaction():
                assert self._changes is not None
                yield self._changes

    @property
    def made(self) -> Mapping[Relation, Relation]:
        """What the transaction has made so far, and where it is until the end."""
        return self._changes.made if self._changes is not None else {}

    def now(self, relation: Relation) -> Relation:
        """Where the relation is while the transaction goes on."""
        return self.made.get(relation, relation)

    def take_out(self, relation: Relation, condition: str) -> None:
        """Rows go when the transaction ends, together with those that come."""
        with self.changing() as changes:
            staged = relation_name(self.staged(relation))
            if relation not in changes.made:
                self.session.rows(f"create or replace table {staged} clone {relation_name(relation)}")
                changes.made[relation], changes.grown[relation] = self.staged(relation), ()
            self.session.rows(f"delete from {staged} where {condition}")

    def staged(self, relation: Relation) -> Relation:
        """The relation under the name that it has until a change is put in place."""
        return replace(relation, name=f"{relation.name}__mesh_new")

    def put_in_place(self, changes: _Changes, relation: Relation, *, view: str = "") -> None:
        """At the end of the transaction the staged one is the relation; a view is made again under its own name."""
        staged, name = relation_name(self.staged(relation)), relation_name(relation)
        for kind in kinds_of(self.session, relation):
            changes.statements.append(f"drop {'view' if kind == 'VIEW' else 'table'} if exists {name}")
        if view:
            changes.statements += [f"create view {name} as {view}", f"drop view if exists {staged}"]
        else:
            changes.statements.append(f"alter table {staged} rename to {name}")

    def drop(self, relation: Relation) -> None:
        """Drop the relation; in a transaction, when it ends."""
        if self._changes is None:
            self._drop_now(relation)
            return
        for kind in kinds_of(self.session, relation):
            self._changes.statements.append(f"drop {'view' if kind == 'VIEW' else 'table'} if exists {relation_name(relation)}")

    def _drop_now(self, relation: Relation) -> None:
        for kind in kinds_of(self.session, relation):
            self.session.rows(f"drop {'view' if kind == 'VIEW' else 'table'} if exists {relation_name(relation)}")

    def remembered(self, topic: str) -> dict[str, str]:
        """What was left under a topic, with what the transaction changes."""
        kept = self.notes.remembered(topic)
        return self._changes.seen(topic, kept) if self._changes is not None else kept

    def remember(self, topic: str, name: str, record: str) -> None:
        """Leave a text; in a transaction, when it ends."""
        self._note_later(topic, name, record)

    def forget(self, topic: str, name: str | None = None) -> None:
        """Take texts away; in a transaction, when it ends."""
        self._note_later(topic, name, None)

    def _note_later(self, topic: str, name: str | None, record: str | None) -> None:
        if self._changes is not None:
            self._changes.notes.append((topic, name, record))
        else:
            self._note(topic, name, record)

    def _note(self, topic: str, name: str | None, record: str | None) -> None:
        if name is not None and record is not None:
            self.notes.remember(topic, name, record)
        else:
            self.notes.forget(topic, name)
