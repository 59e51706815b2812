"""Which connections of this process lie open for their next use?"""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True, eq=False)
class OpenConnection:
    """A connection, what it was made of, such as a password, and what ends it."""

    made_of: tuple[Any, ...] = field(repr=False)
    connection: Any
    end: Callable[[], object]
    process: int = field(default_factory=os.getpid)
    idle_since: float = 0.0


class IdleConnections:
    """At most so many, each for so many seconds. A process that was forked leaves those of its parent alone."""

    def __init__(self, most: int, seconds: float) -> None:
        self.most, self.seconds = most, seconds
        self._idle: list[OpenConnection] = []
        self._lock = threading.Lock()

    def take(self, made_of: tuple[Any, ...]) -> OpenConnection | None:
        """One that was made of just this, which nobody else has until it is kept again; None where there is none."""
        self.end(lambda idle: time.monotonic() - idle.idle_since > self.seconds)
        with self._lock:
            there = next((idle for idle in reversed(self._idle) if idle.process == os.getpid() and idle.made_of == made_of), None)
            if there is not None:
                self._idle.remove(there)
        return there

    def keep(self, opened: OpenConnection) -> None:
        """Have it lie open; where there are too many then, the one that was not used for longest ends."""
        opened.idle_since = time.monotonic()
        with self._lock:
            self._idle.append(opened)
            too_many = self._idle[: -self.most]
        self.end(lambda idle: idle in too_many)

    def end(self, is_ending: Callable[[OpenConnection], bool] = lambda _: True) -> None:
        """End those of which this is so."""
        with self._lock:
            ending = [idle for idle in self._idle if idle.process == os.getpid() and is_ending(idle)]
            self._idle = [idle for idle in self._idle if idle not in ending]
        for idle in ending:
            idle.end()
