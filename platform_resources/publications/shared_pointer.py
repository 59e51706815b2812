"""Who may publish a product in the shared storage, and what is published there: one object, replaced under the condition of its ETag.

No clock of another machine counts: a holder replaces the object again and again, and one that has not done so for a whole lease, by the
clock of whoever waits, is taken for dead. Each claim has a new fence, so that what a holder did before it lost its claim is refused.
"""

import logging
import os
import platform
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from platform_resources.publications.shared_objects import SharedObjects, StoreUnreachable
from platform_resources.warehouses.engine_errors import DatabaseBusy
from platform_resources.warehouses.limits import lease_time

_BEATS = 4
# Beside the pointer: which write it is of, and what earlier releases named the holder's state folder.
_BESIDE = ("write", "machine")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SharedPointer:
    """What is decided of one product.

    `published` has the fence under which each version was written, oldest first; `version` is the record of the newest. `kept` has the
    product's database and what lies beside it, each with its key. `renames` counts how often records were written anew.
    """

    fence: int = 0
    holder: str = ""
    place: str = ""
    published: Mapping[str, int] = field(default_factory=dict)
    version: Mapping[str, Any] | None = None
    kept: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    renames: int = 0

    @property
    def is_new(self) -> bool:
        """Whether no machine has handed anything over yet."""
        return not self.published and not self.kept


@dataclass(frozen=True, slots=True)
class HeldClaim:
    """This process may publish, until another one has claimed the product."""

    token: str
    fence: int
    done: threading.Event


# By the address of the pointer. A claim belongs to the process that made it, wherever in it the product is published.
_HELD: dict[str, HeldClaim] = {}


@dataclass(slots=True)
class PointerPlace:
    """The pointer of one product. `seen` is the ETag that a waiting machine saw last, and since when."""

    objects: SharedObjects
    key: str
    seen: tuple[str, float] = ("", 0.0)

    @property
    def held(self) -> HeldClaim | None:
        """The claim of this process."""
        return _HELD.get(f"{self.objects.url}/{self.key}")

    def read(self) -> tuple[SharedPointer, str | None]:
        """The pointer and its ETag; a new one and None where there is none."""
        there = self.objects.read(self.key)
        if there is None:
            return SharedPointer(), None
        try:
            return SharedPointer(**{name: value for name, value in there[0].items() if name not in _BESIDE}), there[1]
        except TypeError as error:
            raise StoreUnreachable(f"{self.objects.url}/{self.key}", f"it is no pointer of this release ({error})") from error

    def claim(self, former: Collection[str], token: str) -> str:
        """Claim the product for this process; gives who has it, empty where it is this one. `token` names the claim, as nobody else's.

        Those that are called `former` are over: whoever made them has let go of the lock of this state folder.
        """
        while True:
            pointer, tag = self.read()
            if pointer.holder not in ("", *former) and not self._is_silent(tag or ""):
                return f"{pointer.place} has claimed it"
            claim = HeldClaim(token, pointer.fence + 1, threading.Event())
            place = f"{platform.node()}, process {os.getpid()}"
            claimed = replace(pointer, fence=claim.fence, holder=claim.token, place=place)
            if self.objects.replace(self.key, asdict(claimed), tag):
                _HELD[f"{self.objects.url}/{self.key}"] = claim
                threading.Thread(target=self._keep, args=(claim,), name=f"claim on {self.key}", daemon=True).start()
                return ""

    def _is_silent(self, tag: str) -> bool:
        """Whether nothing was written for a whole lease since this waiting began."""
        if tag != self.seen[0]:
            self.seen = (tag, time.monotonic())
        return time.monotonic() - self.seen[1] > lease_time(os.environ).total_seconds()

    def update(self, change: Callable[[SharedPointer], SharedPointer]) -> SharedPointer:
        """Replace the pointer while the claim holds. Raises DatabaseBusy where another process has claimed the product."""
        claim = self.held
        while claim is not None:
            pointer, tag = self.read()
            if pointer.holder != claim.token:
                raise DatabaseBusy(f"{self.key} is not changed: {pointer.place} has claimed it since; see what comes of that")
            changed = change(pointer)
            if self.objects.replace(self.key, asdict(changed), tag):
                return changed
        raise DatabaseBusy(f"{self.key} is not changed: this process has not claimed it")

    def _keep(self, claim: HeldClaim) -> None:
        """Write again and again that the claim is alive; what cannot be written now is tried at the next beat."""
        while not claim.done.wait(lease_time(os.environ).total_seconds() / _BEATS):
            try:
                self.update(lambda pointer: pointer)
            except DatabaseBusy:
                return
            except StoreUnreachable:
                _log.warning("the claim on %s could not be renewed; it is tried again", self.key, exc_info=True)

    def let_go(self, change: Callable[[SharedPointer], SharedPointer]) -> None:
        """End the claim in the step that hands over. What cannot be handed over ends by itself, after a lease. Raises as `update`."""
        claim = self.held
        if claim is None:
            return
        claim.done.set()
        try:
            self.update(lambda pointer: replace(change(pointer), holder=""))
        finally:
            _HELD.pop(f"{self.objects.url}/{self.key}", None)
