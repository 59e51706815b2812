"""Several senders at once, and senders that are killed."""

import os
import signal
import subprocess
import sys
from datetime import timedelta

import pytest

from platform_resources.ledger.people.outbox import claimed, messages, sent
from tests.ledger.event_logs import START
from tests.ledger.test_outbox import message, queued
from tests.meshes import REPOSITORY

pytestmark = pytest.mark.slow
CLAIMS = """
import sys
from platform_resources.ledger.database import open_ledger
from platform_resources.ledger.people.outbox import claimed, sent
from tests.ledger.event_logs import START
ledger = open_ledger(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
while found := claimed(ledger, sys.argv[2], None, START, 3):
    for claim in found:
        print(claim.message.key, sent(ledger, claim, START), flush=True)
"""
DIES = """
import os, signal, sys
from platform_resources.ledger.database import open_ledger
from platform_resources.ledger.people.outbox import claimed
from tests.ledger.event_logs import START
ledger = open_ledger(sys.argv[1])
if sys.argv[2] == "while claiming":
    with ledger.writing() as connection:
        connection.exec_driver_sql("update messages set claimed_by = 'a'")
        os.kill(os.getpid(), signal.SIGKILL)
claimed(ledger, "a", None, START, 1)
os.kill(os.getpid(), signal.SIGKILL)
"""


def started(code, ledger, *arguments):
    """Another Python process with the ledger's address."""
    url = ledger.engine.url.render_as_string(hide_password=False)
    return subprocess.Popen(
        [sys.executable, "-c", code, url, *arguments],
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_senders_at_work_at_once_never_have_the_same_message(either):
    expected = [f"{number:03}" for number in range(60)]
    queued(either, *map(message, expected))
    senders = [started(CLAIMS, either, who) for who in "ab"]
    assert [sender.stdout.readline() for sender in senders] == ["ready\n"] * 2
    for sender in senders:
        sender.stdin.write("\n")
        sender.stdin.flush()
    told = [sender.communicate(timeout=600) for sender in senders]
    assert [sender.returncode for sender in senders] == [0, 0], told
    assert sorted(line for out, _ in told for line in out.splitlines()) == [f"{key} True" for key in expected]
    with either.reading() as connection:
        assert {entry.state for entry in messages(connection)} == {"sent"}


def killed(ledger, when):
    process = started(DIES, ledger, when)
    told = process.communicate(timeout=600)
    assert process.returncode == -signal.SIGKILL, told


def test_a_sender_killed_before_it_said_whether_it_sent_leaves_its_message_to_the_next(either):
    queued(either)
    killed(either, "after claiming")
    assert claimed(either, "b", None, START + timedelta(minutes=4), 1) == ()
    later = START + timedelta(minutes=5)
    (found,) = claimed(either, "b", None, later, 1)
    assert (found.message, found.attempt, sent(either, found, later)) == (message(), 2, True)


def test_a_sender_killed_while_it_claims_has_claimed_nothing(either):
    queued(either)
    killed(either, "while claiming")
    assert [claim.attempt for claim in claimed(either, "b", None, START, 1)] == [1]
