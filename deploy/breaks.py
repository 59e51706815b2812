"""What can break in a deployment? Each break happens under readers and a refresh; gives how long it took until all was well again."""

import signal
import time
from collections.abc import Callable
from contextlib import suppress

from parts import DOMAINS, Deployment, until

FIRST, SECOND = DOMAINS
# So long PostgreSQL is away: longer than Dagster's own patience of some ten seconds.
AWAY_SECONDS = 20


def kill_of(name: str) -> Callable[[Deployment], float]:
    """A part dies at once, and is started again two seconds later."""

    def broken(deployment: Deployment) -> float:
        run, part = deployment.begun(FIRST), deployment.parts[name]
        part.kill()
        time.sleep(2)
        begin = time.monotonic()
        part.start()
        until("all is well again", lambda: deployment.is_well_and_done(run))
        return time.monotonic() - begin

    return broken


def kill_of_run(deployment: Deployment) -> float:
    """The process that performs a run, a child of a code server, dies."""
    import psutil

    run = deployment.begun(SECOND)
    for part in (deployment.parts[name] for name in DOMAINS):
        for child in psutil.Process(part.process.pid).children(recursive=True):
            with suppress(psutil.Error):
                if "spawn_main" in " ".join(child.cmdline()):
                    child.kill()
                    return until("it has been done again", lambda: deployment.is_done(run))
    raise SystemExit("there was no run to kill")


def kill_of_database(deployment: Deployment) -> float:
    """PostgreSQL dies under a refresh, and is away for some time."""
    run = deployment.begun(SECOND)
    deployment.kill_database()
    time.sleep(AWAY_SECONDS)
    begin = time.monotonic()
    deployment.start_database()
    until("all is well again", lambda: deployment.is_well_and_done(run))
    return time.monotonic() - begin


def rolling_restart(deployment: Deployment) -> float:
    """A domain's code server is told to end and started anew, twice, under its refreshes; gives the longer of the two."""
    took = []
    for _ in range(2):
        run = deployment.begun(FIRST)
        deployment.parts[FIRST].kill(signal.SIGTERM)
        begin = time.monotonic()
        deployment.parts[FIRST].start()
        until("all is well again", lambda run=run: deployment.is_well_and_done(run))  # type: ignore[misc]
        took.append(time.monotonic() - begin)
    return max(took)


def broken_location(deployment: Deployment) -> float:
    """A domain's definitions.py cannot be loaded; the other domain goes on."""
    file = deployment.root / f"dataproducts/{FIRST}/definitions.py"
    good = file.read_text()
    file.write_text("this is no Python\n")
    deployment.parts[FIRST].kill()
    deployment.parts[FIRST].start()
    run = deployment.submit(SECOND)
    until("the other domain goes on", lambda: deployment.is_done(run))
    until("Dagster's pages say why", lambda: f"dataproducts/{FIRST}/definitions.py" in deployment.location_error(FIRST))
    file.write_text(good)
    begin = time.monotonic()
    deployment.parts[FIRST].kill()
    deployment.parts[FIRST].start()
    deployment.reload(FIRST)
    until("all is well again", deployment.is_well)
    return time.monotonic() - begin


def full_disk(deployment: Deployment) -> float:
    """The file system of state is full: a refresh fails and says so, the last good version stays; with room again all goes on."""
    before = deployment.versions(SECOND)
    with suppress(OSError), (deployment.state / "filler").open("wb", buffering=0) as filler:
        while True:
            filler.write(bytes(2**16))
    run = deployment.submit(SECOND)
    deployment.submitted.remove(run)
    deployment.refused.append(run)
    until("the refresh has failed", lambda: "FAILURE" in deployment.statuses().get(run, []))
    until("its page says why", lambda: "No space left" in deployment.failure_text(run))
    if deployment.versions(SECOND) != before:
        raise SystemExit("a version was published on a full disk")
    begin = time.monotonic()
    (deployment.state / "filler").unlink()
    again = deployment.submit(SECOND)
    until("all is well again", lambda: deployment.is_well_and_done(again))
    return time.monotonic() - begin


def second_daemon(deployment: Deployment) -> float:
    """Two daemons are started; then the one that works dies, and the other one takes over."""
    deployment.parts["second daemon"] = second = deployment.part("second daemon", "mesh", "daemon")
    second.start()
    until("it waits", lambda: "another daemon works" in second.log.read_text())
    runs = [deployment.submit(domain) for domain in (FIRST, SECOND)]
    until("they are done", lambda: all(map(deployment.is_done, runs)))
    begin = time.monotonic()
    deployment.parts["daemon"].kill()
    run = deployment.submit(FIRST)
    until("all is well again", lambda: deployment.is_well_and_done(run))
    took = time.monotonic() - begin
    deployment.parts["daemon"].start()
    second.kill(signal.SIGTERM)
    until("all is well again", deployment.is_well)
    return took


BREAKS = {
    "kill -9 of the daemon": kill_of("daemon"),
    f"kill -9 of the code server of {FIRST}": kill_of(FIRST),
    "kill -9 of the web server": kill_of("web"),
    "kill -9 of one of two marketplaces": kill_of("market"),
    "kill -9 of a run": kill_of_run,
    f"kill -9 of PostgreSQL, {AWAY_SECONDS} s away": kill_of_database,
    "rolling restart of a code server": rolling_restart,
    "a code location that does not load": broken_location,
    "a full disk": full_disk,
    "two daemons, of which one dies": second_daemon,
}
