"""Processes with disks of their own, one storage and one PostgreSQL: they refresh and read the same products, and are killed at each step."""

import json
import os
import signal
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from tests.rehearsals.machines import deliver, machine_of_its_own, machines

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
def two(tmp_path_factory, bucket, postgres_server):
    return machines(tmp_path_factory.mktemp("machines"), bucket, postgres_server)


def refreshing(machine, script="", product="readings", **changes):
    """A refresh that looks again soon where another one is under way."""
    return machine.running(script + REFRESH, product, datetime.now(UTC).isoformat(), **changes)


def ended(process):
    """The outcome, why, and the numbers of the readings that the machine sees then."""
    said, complaints = process.communicate()
    assert process.returncode == 0, complaints
    return json.loads(said.splitlines()[-1])


def wait_for(reached):
    until = time.monotonic() + 300
    while not reached():
        assert time.monotonic() < until
        time.sleep(0.05)


@contextmanager
def read_throughout(machine, until):
    """Somebody reads all the while; nothing was mixed, nothing was lost again, and the last is seen here too."""
    reader, last = machine.running(READS, str(until)), []
    yield last
    until.touch()
    said, complaints = reader.communicate()
    assert reader.returncode == 0, complaints
    reads, seen = json.loads(said)
    assert reads > 5
    assert all(newer[: len(older)] == older for older, newer in pairwise(seen)), seen
    assert seen[-1] == last


@pytest.mark.parametrize(("first", "steps"), [(1, list(STEPS)[:6]), (20, list(STEPS)[6:])], ids=["before it writes", "from then on"])
def test_whoever_dies_at_whatever_step_the_other_machine_goes_on_and_nothing_is_lost(two, tmp_path, first, steps):
    two.deliver(first)
    outcome, before_all = ended(refreshing(two.a))
    assert (outcome, before_all[-1]) == ("published", first)
    last, dying, other = first, two.b, two.a
    with read_throughout(two.a, tmp_path / "a") as seen_at_a, read_throughout(two.b, tmp_path / "b") as seen_at_b:
        for step in steps:
            before = two.pointer("plant", "readings")["version"]["id"]
            last += 1
            two.deliver(last)
            process = refreshing(dying, DIES + STEPS[step])
            _, complaints = process.communicate()
            assert process.returncode == -signal.SIGKILL, (step, complaints)
            if two.pointer("plant", "readings")["version"]["id"] != before:
                last += 1
                two.deliver(last)  # what is published is kept, though its file is gone now
            # It takes the dead one's place after this time, which no process that lives is asked to keep.
            assert ended(refreshing(other, MESH_LEASE="0.3s")) == ["published", [*before_all, *range(first + 1, last + 1)]], step
            dying, other = other, dying
        for seen in (seen_at_a, seen_at_b):
            seen += [*before_all, *range(first + 1, last + 1)]


def test_one_that_wakes_up_after_its_product_was_claimed_publishes_nothing(two, tmp_path):
    two.deliver(100)
    asleep = refreshing(two.a, DIES.replace("SIGKILL", "SIGSTOP") + STEPS["has sent them"])
    stat = Path(f"/proc/{asleep.pid}/stat")
    wait_for(lambda: stat.read_text().rpartition(")")[2].split()[0] == "T")
    outcome, seen = ended(refreshing(two.b))
    assert (outcome, seen[-1]) == ("published", 100)
    published = two.pointer("plant", "readings")["published"]
    os.kill(asleep.pid, signal.SIGCONT)
    _, complaints = asleep.communicate()
    assert "pointers/plant/readings.json is not changed: " in complaints and "has claimed it since" in complaints, complaints
    assert two.pointer("plant", "readings")["published"] == published
    assert ended(refreshing(two.a)) == ["published", seen]
    fences = {int(key.split("/")[4]) for key in two.keys("versions/plant/readings")}
    assert fences == {*two.pointer("plant", "readings")["published"].values()}, "what it had sent is taken away"


def test_two_that_refresh_at_once_take_turns(two):
    two.deliver(101)
    both = [refreshing(machine, MESH_LEASE="10m") for machine in (two.a, two.b)]
    outcomes = [ended(process) for process in both]
    assert {outcome for outcome, *_ in outcomes} == {"published"}
    assert outcomes[0][-1] == outcomes[1][-1] and outcomes[0][-1][-1] == 101


def test_several_machines_have_what_one_machine_has(two, tmp_path):
    """By the command, with Dagster, and with a machine that has never refreshed anything."""
    alone = machine_of_its_own(tmp_path / "alone")
    third, fourth = two.new("third"), two.new("fourth", prefix="restored")
    for number, machine in ((201, two.a), (202, two.b), (203, two.a)):
        two.deliver(number)
        deliver(alone.root, number)
        machine.refreshed("readings", "summary")
        alone.refreshed("readings", "summary")
    newest = "select reading_id, sensor, degrees from measurements where reading_id > 200 order by all"
    assert third.rows("readings", newest) == two.b.rows("readings", newest) == alone.rows("readings", newest) != []
    assert [row["warmest"] for row in third.rows("summary", "select warmest from sensors")] == ["203.00"]
    assert {row["product"]: row["status"] for row in third.json("status")} == {"readings": "healthy", "summary": "healthy"}
    saved = third.mesh("backup", str(tmp_path / "backups"))
    assert saved.returncode == 0, saved.stderr
    (backup,) = (tmp_path / "backups").glob("2*")
    restored = fourth.mesh("restore", str(backup))
    assert restored.returncode == 0, restored.stderr
    assert fourth.json("versions", "readings") == third.json("versions", "readings")
    assert fourth.rows("summary", "from sensors") == third.rows("summary", "from sensors")
    again = fourth.mesh("restore", str(backup), MESH_STATE=str(tmp_path / "empty"), DAGSTER_HOME=str(tmp_path / "empty"))
    assert "MESH_STORE has products already: office/summary, plant/readings; name an empty prefix" in again.stderr.replace("\n", " ")


def test_without_the_storage_a_refresh_fails_clearly_and_what_was_read_is_read_on(two):
    before = two.a.rows("readings", "from measurements order by all")
    away = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
    failed = two.a.mesh("refresh", "readings", **away)
    assert failed.returncode == 3
    assert "s3://mesh/prod/pointers/plant/readings.json: the shared storage gives no answer" in failed.stderr
    assert "is still served" in failed.stderr
    assert two.a.json("query", "readings", "from measurements order by all", **away) == before
    unread = two.new("unread").mesh("query", "readings", "from measurements", **away)
    assert (unread.returncode, "has not published a version yet" in unread.stderr) == (3, True), unread.stderr
