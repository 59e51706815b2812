"""Probe whether consumers can read the output ports, by reading real rows in a separate process with a time limit."""

import json
import os
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from subprocess import PIPE

from platform_resources.capabilities.measures import Reading
from platform_resources.capabilities.support.sql_text import quoted
from platform_resources.publications.consumer_queries import NothingPublished, published_version
from platform_resources.publications.published_versions import shelf
from platform_resources.publications.version_records import PortVersion, Publication, Versions, VersionsUnreadable
from platform_resources.redaction.redaction import mask
from platform_resources.settings import STORE
from platform_resources.warehouses.engine_errors import EngineError, QueryFailed
from platform_resources.warehouses.limits import SettingInvalid
from platform_resources.warehouses.table_servers import ServingFailed
from platform_resources.warehouses.targets import serving_store, warehouse

ROWS = 1000
# For the reading process to begin, and to end itself before it is ended.
ALLOWANCE = 30.0
_READY = "ready"
_READER = (sys.executable, "-m", "platform_resources.publications.port_probes")


@dataclass(frozen=True, slots=True)
class Probe:
    """One output port to read within `seconds`; `published_before` if the ledger knows a version of it."""

    domain: str
    product: str
    port: str
    in_catalog: bool
    seconds: float
    published_before: bool = False
    server: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of reading a port: rows (at most 1000) and seconds, or an error; neither if it was never published.

    `trouble` is what kept it from being read at all, which says nothing about the port; `said` is how a service answers, in
    words, in place of rows.
    """

    port: str
    rows: int | None = None
    seconds: float | None = None
    error: str | None = None
    trouble: str | None = None
    said: str | None = None


def answers(state: Path, probes: Sequence[Probe]) -> tuple[Answer, ...]:
    """The answer to each probe, in order. Never raises for a broken port, and waits little longer than the limits."""
    answered: list[Answer] = []
    while len(answered) < len(probes):
        answered += _answers_of_one_process(state, probes[len(answered) :])
    return tuple(answered)


def readings(answers: Iterable[Answer]) -> Mapping[str, Reading]:
    """The worst of the ports' answers, as readings for the objective."""
    worst = max(answers, key=lambda a: (a.error is not None, a.trouble is not None, a.rows is None and a.said is None, a.seconds or 0.0))
    rows = Reading(worst.said or worst.rows, worst.error)
    return {"port": Reading(worst.port), "rows": rows, "seconds": Reading(worst.seconds, worst.trouble)}


def _answers_of_one_process(state: Path, probes: Sequence[Probe]) -> list[Answer]:
    """At least one. A process that gives a port up says so and ends well; one that crashes does so at the first port it said nothing of."""
    limit = sum(probe.seconds for probe in probes) + ALLOWANCE
    asked = json.dumps([asdict(probe) for probe in probes])
    with subprocess.Popen([*_READER, str(state)], stdin=PIPE, stdout=PIPE, stderr=PIPE, text=True) as process:
        try:
            written, complaints = process.communicate(asked, timeout=limit)
        except subprocess.TimeoutExpired:
            process.kill()
            written, complaints = process.communicate()
    last = next(reversed(complaints.strip().splitlines()), "")
    why = f"the process that read it ended with code {process.returncode}" + (f": {mask(last)}" if last else "")
    if not written.startswith(_READY):
        return [Answer(probe.port, trouble=why) for probe in probes]
    answered = [Answer(**json.loads(line)) for line in written.splitlines() if line.endswith("}")]
    if process.returncode != 0 or not answered:
        answered.append(Answer(probes[len(answered)].port, error=why))
    return answered[: len(probes)]


# What runs in the process of its own


def main() -> None:
    """Read probes from standard input and print an answer per line, as JSON."""
    print(_READY, flush=True)
    try:
        for asked in json.load(sys.stdin):
            _answer(Path(sys.argv[1]), Probe(**asked))
    except Exception:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)  # at once: what extension modules complain of at a usual end would stand behind the reason


def _answer(state: Path, probe: Probe) -> None:
    """Tell the answer, or give up and end this process: what hangs in a file system cannot be interrupted in any other way."""
    turn, answered = threading.Lock(), threading.Event()

    def give_up() -> None:
        with turn:
            if not answered.is_set():
                _tell(Answer(probe.port, error=f"no answer within {probe.seconds:g} s"))
                os._exit(0)

    watch = threading.Timer(probe.seconds, give_up)
    watch.daemon = True
    watch.start()
    answer = _read(state, probe)
    with turn:
        answered.set()
        watch.cancel()
        _tell(answer)


def _read(state: Path, probe: Probe) -> Answer:
    begin = time.monotonic()
    try:
        rows = first_rows(state, probe)
    except (OSError, VersionsUnreadable, QueryFailed, EngineError, Unreadable, ServingFailed, SettingInvalid) as error:
        return Answer(probe.port, error=mask(next(iter(str(error).splitlines()), type(error).__name__)))
    return Answer(probe.port, rows, None if rows is None else time.monotonic() - begin)


def _tell(answer: Answer) -> None:
    print(json.dumps(asdict(answer)), flush=True)


class Unreadable(Exception):
    """Raised if published files differ from what was written; says how."""


def first_rows(state: Path, probe: Probe) -> int | None:
    """The number of first rows read from the port's newest version, from files and catalog; None if never published.

    Raises OSError, VersionsUnreadable, QueryFailed, EngineError, Unreadable, ServingFailed, SettingInvalid.
    """
    shelves = shelf(state, probe.domain, probe.product)
    publication = _newest(state, probe, shelves)
    version = publication.port(probe.port) if publication is not None else None
    if version is None:
        if probe.published_before:
            raise Unreadable("it was published, and the newest version is without it")
        return None
    damage = shelves.damage(version)
    if damage:
        raise Unreadable(damage)
    rows = warehouse().first_rows(shelves.where(version), ROWS)
    expected = min(ROWS, version.rows)
    if len(rows) != expected:
        raise Unreadable(f"it gave {len(rows):,} of its first {expected:,} rows")
    # Where machines share versions, a catalog is of the machine that published last, and tells nothing of the port.
    if probe.in_catalog and not STORE.value(os.environ) and not _catalog_gives_rows(state, probe, version) and expected:
        raise Unreadable("the catalog gave no rows")
    # Only whether: before the files of a version are published the server shows it already.
    if probe.server is not None and not serving_store().shown(probe.product):
        raise Unreadable("the server of tables shows no version")
    return expected


def _newest(state: Path, probe: Probe, shelves: Versions) -> Publication | None:
    try:
        return published_version(state, probe.domain, probe.product)
    except NothingPublished:
        if probe.published_before or shelves.was_published():
            raise Unreadable("nothing is published any more, though there was a version") from None
        return None


def _catalog_gives_rows(state: Path, probe: Probe, version: PortVersion) -> bool:
    """As SQL, JDBC and ODBC clients read. Only whether: between a publication and the new catalog it still shows the version before."""
    sql = f"select * from {quoted(version.data_set)} limit {ROWS}"
    return bool(warehouse().catalog_rows(state, probe.domain, probe.product, sql))


if __name__ == "__main__":
    main()
