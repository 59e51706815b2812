"""An open incident while clocks, logs, documents, channels and processes fail: nothing is lost, nothing is told twice."""

import shutil
import signal
import sqlite3
import subprocess
import sys
from datetime import datetime

import pytest

from platform_resources.ledger.people.checks import known_checks
from platform_resources.ledger.people.subscriptions import subscribe
from platform_resources.ledger.queries.history import readings
from platform_resources.ledger.records import check_id
from tests.forked_commands import Forked
from tests.meshes import copied_mesh
from tests.notify.receivers import free_port, web_server
from tests.refresh.running import environment, mesh, mesh_from_a_shell, mesh_json
from tests.rehearsals.rehearsal import Rehearsal, rehearsal
from tests.rehearsals.tiny import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    SPEC,
    addresses,
    break_deliveries,
    copied,
    mend_deliveries,
    rename_objective,
    replace_products,
    subjects,
    told_mesh,
)

pytestmark = pytest.mark.slow
OPENED = NOW + 10 * MINUTE
CHECK = ("readings", "measurements"), "most_readings_have_a_temperature"
NOT_WATCHED = "resolved no action: nothing that failed is watched any more"


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """Refreshed, broken, refreshed and evaluated: readings#1 is open, and nobody was told yet."""
    root = told_mesh(tmp_path_factory.mktemp("template") / "mesh")
    with rehearsal(root) as played:
        played.refresh(NOW - HOUR, "readings", "summary")
        break_deliveries(root)
        played.refresh(NOW, "readings")
        played.evaluate(OPENED)
        assert played.live() == {"readings#1": ()}
    return root


@pytest.fixture
def broken(template, tmp_path, web):
    with copied(template, tmp_path, web) as played:
        yield played


def rounds(played: Rehearsal, *times: datetime) -> None:
    for now in times:
        played.evaluate(now)
        played.deliver(now)


TOLD = "[low] Sensor readings has gaps (readings#1)"
OVER = "Sensor readings is well again"


def test_told_after_the_wait_and_over_once_mended(broken, web):
    """How it is when nothing else goes wrong."""
    rounds(broken, OPENED + 5 * MINUTE, OPENED + 20 * MINUTE, OPENED + HOUR)
    assert subjects(web) == [TOLD]
    mend_deliveries(broken.root)
    broken.refresh(OPENED + 2 * HOUR, "readings")
    rounds(broken, OPENED + 3 * HOUR, OPENED + 4 * HOUR)
    assert subjects(web) == [TOLD, OVER]
    assert broken.live() == {}


def test_a_clock_that_steps_back_tells_ends_and_begins_nothing(broken, web):
    rounds(broken, OPENED - 2 * HOUR, OPENED + HOUR, OPENED - HOUR, OPENED + 2 * HOUR)
    assert subjects(web) == [TOLD]
    assert broken.events("readings#1") == ["opened"]
    mend_deliveries(broken.root)
    broken.refresh(OPENED + 3 * HOUR, "readings")
    rounds(broken, OPENED + 4 * HOUR, OPENED + 2 * HOUR, OPENED + 5 * HOUR)
    assert broken.events("readings#1") == ["opened", "resolved auto-recovered"]
    assert subjects(web) == [TOLD, OVER]


def test_a_refresh_by_a_clock_that_stepped_back_is_too_late_and_the_next_one_counts(broken, web):
    mend_deliveries(broken.root)
    broken.refresh(OPENED - 2 * HOUR, "readings")
    rounds(broken, OPENED + HOUR)
    assert broken.live() == {"readings#1": ()}
    broken.refresh(OPENED + 2 * HOUR, "readings")
    rounds(broken, OPENED + 3 * HOUR)
    assert broken.live() == {}
    assert subjects(web) == [TOLD, OVER]


def said(played: Rehearsal) -> list[str]:
    """The verdicts that the ledger has of the promise that is broken."""
    with played.ledger() as ledger, ledger.reading() as connection:
        return [reading.verdict for reading in readings(connection, check_id(*CHECK), NOW - DAY, NOW + DAY)]


def test_an_event_log_that_lost_its_tail_ends_no_incident(broken, web):
    log = broken.root / ".dagster/history/runs/index.db"
    with sqlite3.connect(log) as connection:
        (before,) = connection.execute("select count(*) from event_logs").fetchone()
        connection.execute("delete from event_logs where id > (select max(id) / 3 from event_logs)")
        (after,) = connection.execute("select count(*) from event_logs").fetchone()
    assert 0 < after < before
    rounds(broken, OPENED + 30 * MINUTE)
    assert (broken.live(), said(broken)) == ({"readings#1": ()}, ["met", "missed"])
    mend_deliveries(broken.root)
    broken.refresh(OPENED + HOUR, "readings")
    rounds(broken, OPENED + 2 * HOUR)
    assert (broken.live(), said(broken)) == ({}, ["met", "missed", "met"])
    assert subjects(web) == [TOLD, OVER]


def test_a_new_history_of_dagster_ends_no_incident(template, tmp_path, web):
    root = tmp_path / "mesh"
    copied_mesh(template, root)
    shutil.rmtree(root / ".dagster")
    with rehearsal(root, addresses(web.port)) as played:
        rounds(played, OPENED + 30 * MINUTE)
        assert (played.live(), said(played)) == ({"readings#1": ()}, ["met", "missed"])
        mend_deliveries(root)
        played.refresh(OPENED + HOUR, "readings")
        rounds(played, OPENED + 2 * HOUR)
        assert (played.live(), said(played)) == ({}, ["met", "missed", "met"])
    assert subjects(web) == [TOLD, OVER]


def test_a_renamed_objective_keeps_its_history_and_begins_anew(broken, web):
    rounds(broken, OPENED + 30 * MINUTE)
    rename_objective(broken.root)
    rounds(broken, OPENED + HOUR)
    assert broken.events("readings#1") == ["opened", NOT_WATCHED]
    with broken.ledger() as ledger, ledger.reading() as connection:
        found = known_checks(connection)
    assert found[check_id(*CHECK)].retired_at == OPENED + HOUR
    assert said(broken) == ["met", "missed"]
    broken.refresh(OPENED + 2 * HOUR, "readings")
    rounds(broken, OPENED + 3 * HOUR, OPENED + 4 * HOUR)
    assert broken.live() == {"readings#2": ()}
    assert broken.incident("readings#2").incident.checks == ("measurements:temperatures_are_there",)
    assert subjects(web) == [TOLD, 'Closed: Sensor readings (no action); it is "use with care"', TOLD.replace("#1", "#2")]


@pytest.mark.parametrize("domain", ["plant", "office"])
def test_a_product_that_is_removed_takes_its_incident_with_it_and_whoever_heard_of_it_hears_that(broken, web, domain):
    """Also where its domain has no product any more, and another one is evaluated."""
    rounds(broken, OPENED + 30 * MINUTE)
    replace_products(broken.root, domain)
    assert [product.name for product in broken.plan.products] == ["logbook"]
    rounds(broken, OPENED + HOUR, OPENED + 2 * HOUR)
    assert broken.events("readings#1") == ["opened", NOT_WATCHED]
    assert broken.live() == {}
    assert subjects(web) == [TOLD, "Closed: readings (no action)"]


def test_a_product_whose_document_is_broken_keeps_its_incident(broken, web):
    rounds(broken, OPENED + 30 * MINUTE)
    whole = (broken.root / SPEC).read_text()
    (broken.root / SPEC).write_text("kind: [")
    rounds(broken, OPENED + HOUR, OPENED + 2 * HOUR)
    assert broken.live() == {"readings#1": ()}
    assert [each["name"] for each in mesh_json(broken.root, "incidents")] == ["readings#1"]
    (broken.root / SPEC).write_text(whole)
    rounds(broken, OPENED + 3 * HOUR)
    mend_deliveries(broken.root)
    broken.refresh(OPENED + 4 * HOUR, "readings")
    rounds(broken, OPENED + 5 * HOUR)
    assert broken.events("readings#1") == ["opened", "resolved auto-recovered"]
    assert subjects(web) == [TOLD, OVER]


def test_a_channel_that_cannot_be_reached_for_hours_gets_each_message_once_in_the_end(template, tmp_path):
    root, port = tmp_path / "mesh", free_port()
    copied_mesh(template, root)
    with rehearsal(root, addresses(port)) as played:
        rounds(played, *(OPENED + minutes * MINUTE for minutes in range(20, 200, 20)))
        (entry,) = played.outbox("incident")
        assert (entry.state, entry.attempts >= 5) == ("failing", True)
        assert "127.0.0.1" in entry.last_error or "refused" in entry.last_error, entry.last_error
        with web_server() as server:
            played.environment = addresses(server.port)
            rounds(played, *(OPENED + 4 * HOUR + minutes * MINUTE for minutes in (0, 61, 62)))
            assert subjects(server) == [TOLD]


def test_a_subscription_on_a_channel_that_is_gone_keeps_no_other_message_back(broken, web):
    with broken.ledger() as ledger, ledger.writing() as connection:
        subscribe(connection, "readings", "ana", "plant.gone", "low", NOW)
    broken.evaluate(OPENED + 30 * MINUTE)
    done = broken.deliver(OPENED + 30 * MINUTE)
    assert (done.sent, done.failed) == (1, 1)
    assert done.texts == ('plant.gone: no channel "plant.gone"; known: office.alerts, plant.alerts; did you mean "plant.alerts"?',)
    assert subjects(web) == [TOLD]


EVALUATE = """
import sys
from datetime import datetime
from pathlib import Path
import dagster as dg
from platform_resources.orchestration.evaluation_job import run_evaluations
from platform_resources.dbt.planning import read_plan
root, domain, now = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
with dg.DagsterInstance.from_config(str(root / ".dagster")) as instance:
    plan, _ = read_plan(root)
    print("ready", flush=True)
    sys.stdin.readline()
    (done,) = run_evaluations(root, plan, instance, [domain], now)
    sys.exit("; ".join(done.problems) or 0)
"""
KILLED = (
    """
import os, signal
from platform_resources.services import evaluation_round, judging
{patch}
"""
    + EVALUATE
)


def evaluating(script: str, played: Rehearsal, domain: str, now: datetime) -> Forked:
    command = [sys.executable, "-c", script, str(played.root), domain, now.isoformat()]
    pipe = subprocess.PIPE
    return Forked(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=environment(), cwd=played.root)


def test_domains_evaluated_at_once_by_several_processes_have_one_incident_and_no_error(template, tmp_path, web):
    """Where nothing is known yet: every process opens what it finds."""
    root = tmp_path / "mesh"
    copied_mesh(template, root, ".mesh")
    with rehearsal(root, addresses(web.port)) as played:
        running = [evaluating(EVALUATE, played, domain, OPENED) for domain in ("plant", "office", "plant", "office")]
        for process in running:
            assert process.stdout.readline() == "ready\n", process.stderr.read()
        for process in running:
            process.stdin.write("go\n")
            process.stdin.flush()
        ended = [(process.communicate(timeout=600)[1], process.returncode) for process in running]
        assert [code for _, code in ended] == [0] * 4, ended
        assert not any("BoardChanged" in errors or "Traceback" in errors for errors, _ in ended), ended
        assert played.live() == {"readings#1": ()}
        assert played.events("readings#1") == ["opened"]
        rounds(played, OPENED + 30 * MINUTE)
    assert subjects(web) == [TOLD]


@pytest.mark.parametrize("patch", [
    pytest.param("judging.announce = lambda *told: os.kill(os.getpid(), signal.SIGKILL)", id="before the board is committed"),
    pytest.param("evaluation_round.trust = lambda *told: os.kill(os.getpid(), signal.SIGKILL)", id="after the board is committed"),
    pytest.param("evaluation_round.judged_objectives = lambda *told: os.kill(os.getpid(), signal.SIGKILL)", id="while judging"),
])  # fmt: skip
def test_an_evaluation_that_is_killed_is_made_up_for_by_the_next_one(broken, web, patch):
    process = evaluating(KILLED.format(patch=patch), broken, "plant", OPENED + 30 * MINUTE)
    _, errors = process.communicate("go\n", timeout=600)
    assert process.returncode == -signal.SIGKILL, errors
    rounds(broken, OPENED + 45 * MINUTE)
    assert broken.events("readings#1") == ["opened"]
    assert subjects(web) == [TOLD]


def test_commands_tell_of_an_incident_whatever_the_document_says(broken):
    """Exit code 1 while one is open; the product that cannot be read is told as such, with its incident."""
    (broken.root / SPEC).write_text("kind: [")
    shown = mesh(broken.root, "incidents")
    assert shown.returncode == 1 and "readings#1" in shown.stdout, shown.stderr
    acknowledged = mesh_from_a_shell(broken.root, "ack", "readings#1", "--by", "ana")
    assert (acknowledged.returncode, acknowledged.stdout) == (0, "readings#1 is acknowledged\n"), acknowledged.stderr
