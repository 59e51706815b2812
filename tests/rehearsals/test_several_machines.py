"""Processes with disks of their own, one storage and one PostgreSQL: they refresh and read the same products, and are killed at each step."""

import json
import signal
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from tests.rehearsals.machines import machines

pytestmark = pytest.mark.slow
REFRESH = """
import json, sys
from pathlib import Path
from platform_resources.capabilities.registry import installed_registry
from platform_resources.dbt.planning import read_plan
from platform_resources.repository.mesh_folders import state_folder
from platform_resources.publications.consumer_queries import queried
from platform_resources.refresh import product_locks
from platform_resources.services.refreshes.execution import refresh_product
product_locks._LOOK_AGAIN_SECONDS = 0.2
root = Path(sys.argv[1])
done = refresh_product(root, state_folder(root), read_plan(root)[0].product(sys.argv[2]), installed_registry(), sys.argv[3])
rows = queried(state_folder(root), "plant", "readings", "select reading_id from measurements order by 1")[1]
print(json.dumps([done.outcome, *done.reasons, [row[0] for row in rows]]))
"""
# Each dies where it says; `dead` says when by a call that is about to be made or was made.
DIES = """
import os, signal
from platform_resources.publications import published_versions, shared_pointer, shared_versions
from platform_resources.refresh import auditing, performing, publishing
def dies(owner, name, after=lambda *made: False):
    whole = getattr(owner, name)
    def dying(*asked, **named):
        if after(*asked):
            whole(*asked, **named)
        os.kill(os.getpid(), SIGNAL)
        return whole(*asked, **named)
    setattr(owner, name, dying)
SIGNAL = signal.SIGKILL
"""
STEPS = {
    "has claimed the product": "dies(shared_versions.SharedVersions, '_take')",
    "pulls": "dies(performing, '_pulled')",
    "builds": "dies(performing, 'build')",
    "audits": "dies(auditing, 'scanned')",
    "hands the database over": "dies(shared_versions.SharedVersions, '_send_packed')",
    "has handed it over": "dies(shared_versions.SharedVersions, 'begin')",
    "has written a port": "dies(published_versions.Shelf, 'write', lambda *_: True)",
    "sends files": "dies(shared_versions.SharedVersions, '_send')",
    "has sent them": "dies(shared_versions.SharedVersions, '_send', lambda *_: True)",
    "has published": "dies(published_versions.Shelf, 'move')",
    "takes old versions away": "dies(shared_versions.SharedVersions, '_garbage')",
    "hands over at the end": "dies(shared_versions.SharedVersions, 'let_go')",
}
READS = """
import json, sys, time
from pathlib import Path
from platform_resources.publications.consumer_queries import queried
from platform_resources.repository.mesh_folders import state_folder
root, until = Path(sys.argv[1]), Path(sys.argv[2])
ports = [f"(select list(reading_id order by reading_id) from {port})" for port in ("measurements_sql", "measurements_file")]
reads, seen = 0, []
while not until.exists():
    (one, other), = queried(state_folder(root), "plant", "readings", "select " + ", ".join(ports))[1]
    assert one == other, (one, other)
    if not seen or seen[-1] != one:
        seen.append(one)
    reads += 1
    time.sleep(0.5)
print(json.dumps([reads, seen]))
"""


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    with machines(tmp_path_factory.mktemp("machines")) as found:
        yield found


def refreshing(machine, script="", product="readings", **changes):
    """A refresh that looks again soon where another one is under way."""
    return machine.running(script + REFRESH, product, datetime.now(UTC).isoformat(), **changes)


def ended(process):
    """The outcome, why, and the numbers of the readings that the machine sees then."""
    said, complaints = process.communicate()
    assert process.returncode == 0, complaints
    return json.loads(said.splitlines()[-1])


@contextmanager
def read_throughout(machine, until):
    """Somebody reads all the while; nothing was mixed, nothing was lost again, and the last is seen here too."""
    reader, last = machine.running(READS, str(until)), []
    yield last
    until.touch()
    said, complaints = reader.communicate()
    assert reader.returncode == 0, complaints
    reads, seen = json.loads(said)
    assert reads > len(STEPS)
    assert all(newer[: len(older)] == older for older, newer in pairwise(seen)), seen
    assert seen[-1] == last


def test_whoever_dies_at_whatever_step_the_other_machine_goes_on_and_nothing_is_lost(two, tmp_path):
    two.deliver(1)
    assert ended(refreshing(two.a)) == ["published", [1]]
    last, dying, other = 1, two.b, two.a
    with read_throughout(two.a, tmp_path / "a") as seen_at_a, read_throughout(two.b, tmp_path / "b") as seen_at_b:
        for step, dies in STEPS.items():
            before = two.pointer("plant", "readings")["version"]["id"]
            last += 1
            two.deliver(last)
            process = refreshing(dying, DIES + dies)
            _, complaints = process.communicate()
            assert process.returncode == -signal.SIGKILL, (step, complaints)
            if two.pointer("plant", "readings")["version"]["id"] != before:
                last += 1
                two.deliver(last)  # what is published is kept, though its file is gone now
            assert ended(refreshing(other)) == ["published", [*range(1, last + 1)]], step
            dying, other = other, dying
        for seen in (seen_at_a, seen_at_b):
            seen += range(1, last + 1)
