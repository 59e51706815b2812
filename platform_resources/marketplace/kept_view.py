"""The current snapshot of the mesh in one process, read anew when something changes, rarely by a request."""

import gc
import os
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from platform_resources.dbt.planning import read_plan
from platform_resources.ledger.database import Ledger, LedgerUnavailable, ledger_identity, ledger_url, open_ledger
from platform_resources.lineage.mesh_lineage import MeshLineage
from platform_resources.marketplace.ahead.shared_pages import SeenLast
from platform_resources.plan.plan import MeshPlan
from platform_resources.refresh.built_lineage import lineage_stamp
from platform_resources.repository.change_stamp import change_stamp
from platform_resources.repository.mesh_folders import dagster_home, state_folder
from platform_resources.services.catalog.search_index import SearchIndex, search_index
from platform_resources.services.catalog.searching import Reputation, reputation, signals
from platform_resources.services.showing.column_lineage import mesh_lineage
from platform_resources.services.showing.kept_memories import KeptMemories
from platform_resources.services.showing.mesh_overview import Memories, MeshOverview, ledger_mark, mesh_overview
from platform_resources.services.showing.patient_ledger import PatientLedger

# Health is a fact of time: what was fresh may be late now, although nothing was written.
RENEWED_AFTER, TOO_OLD = timedelta(seconds=20), timedelta(seconds=60)
# Pages are made ahead as long as somebody has asked within this time.
ASKED_LATELY = timedelta(minutes=10)
# Touched by each process of the marketplace that has written: the others read anew before they answer.
WRITTEN = ".mesh/marketplace.written"


@dataclass(slots=True)
class Market:
    """One mesh with its newest snapshot. `renew` reads it now.

    Several processes may serve one mesh: whoever has `written` is seen by the next request, whichever of them answers it.

    While the ledger does not answer, the last snapshot goes on; `patient` is the same ledger for what need not wait for it.
    """

    root: Path
    ledger: Ledger
    patient: PatientLedger
    _view: MeshOverview | None = None
    _memories: Memories = field(default_factory=Memories)
    _kept: KeptMemories | None = None
    _stamp: str = ""
    _written: int = 0
    _asked_at: datetime | None = None
    _took: timedelta = timedelta()
    _search: tuple[SearchIndex, Reputation, datetime] | None = None
    _lineage: tuple[MeshPlan, datetime, tuple[tuple[int, int], ...], MeshLineage] | None = None
    _searching: threading.Lock = field(default_factory=threading.Lock)
    _following: threading.Lock = field(default_factory=threading.Lock)
    _renewing: threading.Lock = field(default_factory=threading.Lock)
    _stopped: threading.Event = field(default_factory=threading.Event)

    @property
    def state(self) -> Path:
        """The mesh's state folder."""
        return state_folder(self.root)

    @property
    def too_old(self) -> timedelta:
        """How long a snapshot is current: a minute, or three times as long as reading one takes."""
        return max(TOO_OLD, 3 * self._took)

    def view(self) -> MeshOverview:
        """The snapshot, at most `too_old` old, or the last one while the ledger does not answer.

        Raises LedgerUnavailable where there is none yet, or where somebody has written since: what they have taken away is not shown.
        """
        self._asked_at = datetime.now(UTC)
        kept = self._view
        if kept is None or self._is_past(kept, self._asked_at):
            with self._renewing:
                if self._view is kept:
                    try:
                        self._read()
                    except LedgerUnavailable:
                        if kept is None or self._written != self.last_written():
                            raise
        return self._view or self.renew()

    def _is_past(self, view: MeshOverview, now: datetime) -> bool:
        # After the clock was set back a snapshot is of a time to come, and would be current until then.
        return abs(now - view.at) > self.too_old or self.patient.away_since is not None or self._written != self.last_written()

    def written(self) -> None:
        """Note a write to the ledger, so that the next request of any process sees it."""
        (self.state / WRITTEN).touch()
        self.renew()

    @property
    def snapshot(self) -> MeshOverview | None:
        """The latest snapshot of any age."""
        return self._view

    @property
    def read_after(self) -> int:
        """The last write of a process that the snapshot shows."""
        return self._written

    def last_written(self) -> int:
        """When any process has written last."""
        try:
            return os.stat(self.state / WRITTEN).st_mtime_ns
        except FileNotFoundError:
            return 0

    def view_at_hand(self) -> MeshOverview | None:
        """The newest snapshot, None if it must be read first."""
        now, view = datetime.now(UTC), self._view
        if view is None or self._is_past(view, now):
            return None
        self._asked_at = now
        return view

    def newest(self) -> MeshOverview | None:
        """The latest snapshot of any age, None if nobody has asked lately; does not count as asking."""
        asked = self._asked_at
        return self._view if asked is not None and datetime.now(UTC) - asked < ASKED_LATELY else None

    def ask(self, at: datetime) -> None:
        """Note that somebody has asked another process."""
        self._asked_at = max(at, self._asked_at or at)

    def stopped_within(self, seconds: float) -> bool:
        """Wait this long; true if the server stops meanwhile."""
        return self._stopped.wait(seconds)

    def search(self, view: MeshOverview) -> tuple[SearchIndex, Reputation]:
        """The search index of the view's plan with rankings as of the view; both are built on first use."""
        with self._searching:
            kept = self._search
            if kept is None or kept[0].plan is not view.plan or kept[2] != view.at:
                index = kept[0] if kept is not None and kept[0].plan is view.plan else search_index(view.plan)
                kept = (index, reputation(index, signals(view.health.values(), view.trust)), view.at)
                self._search = kept
        return kept[0], kept[1]

    def lineage(self, view: MeshOverview) -> MeshLineage:
        """The column lineage of the last builds; read again when a build has changed it."""
        with self._following:
            kept = self._lineage
            if kept is None or kept[0] is not view.plan or kept[1] != view.at:
                stamp = lineage_stamp(self.state, view.plan.products)
                same = kept is not None and kept[0] is view.plan and kept[2] == stamp
                known = kept[3] if kept is not None and same else mesh_lineage(self.state, view.plan)
                kept = self._lineage = (view.plan, view.at, stamp, known)
            return kept[3]

    def renew(self) -> MeshOverview:
        """Read the mesh now."""
        with self._renewing:
            return self._read()

    def _read(self) -> MeshOverview:
        view = self.patient.asked(self._read_whole)
        self.patient.is_back()
        return view

    def _read_whole(self) -> MeshOverview:
        # What is read stays: to look through it for garbage again and again would take a fifth of the time, and seconds for the first view.
        is_first = self._view is None
        gc.disable()
        try:
            return self._read_now()
        finally:
            if is_first:
                gc.freeze()
            gc.enable()

    def _read_now(self) -> MeshOverview:
        begun, written = time.monotonic(), self.last_written()
        stamp = change_stamp(self.root)
        before = self._view.plan if self._view is not None else self._begin(stamp)
        plan = before if before is not None and stamp == self._stamp else self._newly_read(before)
        view = mesh_overview(self.ledger, self.state, dagster_home(self.state), plan, datetime.now(UTC), self._memories, stamp)
        self._view, self._stamp, self._written = view, stamp, written
        self._took = timedelta(seconds=time.monotonic() - begun)
        return view

    def _begin(self, stamp: str) -> MeshPlan | None:
        """Begin with what a former process has left, and its plan where the texts have not changed since."""
        self._kept = KeptMemories(self.state, ledger_identity(self.ledger))
        self._memories, plan = self._kept.load(stamp)
        self._stamp = stamp
        return plan

    def _newly_read(self, before: MeshPlan | None) -> MeshPlan:
        """The plan as the texts are now. A product that is as before is the same object: what is kept of it need not be compared again."""
        plan = read_plan(self.root)[0]
        gc.collect()  # what dbt leaves behind would stay with what is frozen, and its semaphores until after this process
        known = {product.name: product for product in before.products} if before is not None else self._memories.plans
        return replace(plan, products=tuple(old if (old := known.get(product.name)) == product else product for product in plan.products))

    def keep(self) -> None:
        """Persist what was read and evaluated for the next process."""
        with self._renewing:
            view, stamp = self._view, self._stamp
        if self._kept is not None and view is not None:
            self._kept.save(self._memories, view.plan, stamp)

    def stop(self) -> None:
        """End the background work and close the ledger."""
        self._stopped.set()
        with suppress(LedgerUnavailable):
            self.patient.write_notes()
        with self._renewing:
            if self._kept is not None:
                self._kept.close()
        self.ledger.close()

    def is_old(self) -> bool:
        """Whether the snapshot is not of this moment any more, and somebody looks."""
        view = self._view
        if view is None or self.patient.away_since is not None:
            return view is not None
        return self._is_looked_at() and abs(datetime.now(UTC) - view.at) > RENEWED_AFTER

    def has_changed(self) -> bool:
        """Whether files or ledger are others than the snapshot shows."""
        view = self._view
        if view is None or self._written != self.last_written():
            return view is not None
        return self.patient.said(ledger_mark, None) != view.mark or change_stamp(self.root) != self._stamp

    def lags_behind(self, seen: SeenLast) -> bool:
        """Whether somebody looks, and the process that judges for all has seen newer files or a newer ledger than the snapshot shows."""
        view = self._view
        return view is not None and self._is_looked_at() and seen.at > view.at and (view.mark, view.same) != (seen.mark, seen.same)

    def _is_looked_at(self) -> bool:
        return self._asked_at is not None and datetime.now(UTC) - self._asked_at < self.too_old


def opened_market(root: Path) -> Market:
    """Open the mesh at this root. Raises LedgerUnavailable."""
    ledger = open_ledger(ledger_url(state_folder(root), os.environ))
    return Market(root, ledger, PatientLedger(ledger))
