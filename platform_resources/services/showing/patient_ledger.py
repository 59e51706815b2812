"""What goes on while the ledger does not answer: pages show less, and what is only counted is written later."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from platform_resources.ledger.connections import Connection
from platform_resources.ledger.database import Ledger, LedgerUnavailable

# A ledger that did not answer is asked again after so long; until then nobody waits for it.
AWAY_SECONDS = 3.0
# Of so many reads it is remembered that they are to be counted.
MOST_NOTES = 100_000
T = TypeVar("T")


@dataclass(slots=True)
class PatientLedger:
    """A ledger for those who can do without its answer. `away_since` says since when there is none; None as long as there is."""

    ledger: Ledger
    away_since: datetime | None = None
    _why: str = ""
    _asked_again: float = 0.0
    _notes: deque[Callable[[Connection], object]] = field(default_factory=lambda: deque(maxlen=MOST_NOTES))
    _noting: threading.Lock = field(default_factory=threading.Lock)

    def asked(self, ask: Callable[[], T]) -> T:
        """What the ledger gives. Raises LedgerUnavailable, at once where it did not answer a moment ago."""
        if self._why and time.monotonic() < self._asked_again:
            raise LedgerUnavailable(self._why)
        try:
            return ask()
        except LedgerUnavailable as error:
            if self.away_since is None:
                self.away_since = datetime.now(UTC)
                logging.getLogger(__name__).warning(f"what is known goes on being shown: {error}")
            self._why, self._asked_again = str(error), time.monotonic() + AWAY_SECONDS
            raise

    def is_back(self) -> None:
        """Note that it has answered."""
        if self.away_since is not None:
            logging.getLogger(__name__).warning(f"the ledger answers again; it did not since {self.away_since:%Y-%m-%d %H:%M:%S} UTC")
        self.away_since, self._why = None, ""

    def said(self, read: Callable[[Connection], T], otherwise: T) -> T:
        """What the ledger says for a page that has more to show; `otherwise` while it does not answer."""

        def ask() -> T:
            with self.ledger.reading() as connection:
                return read(connection)

        try:
            return self.asked(ask)
        except LedgerUnavailable:
            return otherwise

    def note(self, write: Callable[[Connection], object]) -> None:
        """Write what no reader is to wait for, such as that they have read: now, or when the ledger answers again."""
        self._notes.append(write)
        with suppress(LedgerUnavailable):
            self.write_notes()

    def write_notes(self) -> None:
        """Write what is noted. Raises LedgerUnavailable; it stays noted then."""
        with self._noting:
            if not self._notes:
                return
            notes = tuple(self._notes)
            try:
                self._write(notes)
            except LedgerUnavailable:
                raise
            except Exception:  # one that the database does not take keeps back no other
                for note in notes:
                    try:
                        self._write((note,))
                    except LedgerUnavailable:
                        raise
                    except Exception:
                        logging.getLogger(__name__).exception("a read could not be counted")
                    self._notes.popleft()
            else:
                for _ in notes:
                    self._notes.popleft()

    def _write(self, notes: Iterable[Callable[[Connection], object]]) -> None:
        def write() -> None:
            with self.ledger.writing() as connection:
                for note in notes:
                    note(connection)

        self.asked(write)
