"""`mesh retire`: a plan first, then one step after the other, which a process that is killed goes on with."""

import json
import os
import signal
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from platform_resources.capabilities.registry import installed_registry
from platform_resources.cli.terminal.console import CANNOT_RUN, FINE, MISSED
from platform_resources.dbt.planning import read_plan
from platform_resources.incidents.messages import Message
from platform_resources.ledger.database import ledger_url, open_ledger
from platform_resources.ledger.people import outbox
from platform_resources.ledger.people.control_deliveries import ControlDelivery, claim_delivery, control_deliveries, note_delivery
from platform_resources.ledger.people.subscriptions import VersionHook, add_hook, hooks_of, subscribe, subscriptions, unsubscribe
from platform_resources.notify.keys import is_retired_key
from platform_resources.publications.published_versions import Shelf
from platform_resources.services.access.version_hooks import new_seed
from platform_resources.services.delivering import deliver_due
from platform_resources.services.evaluation_round import evaluate
from platform_resources.services.releases.archives import archive_of, damaged, parquet_rows
from platform_resources.settings import SERVING
from platform_resources.warehouses.engine_errors import DatabaseBusy
from tests.cli.conftest import NOW, publish_readings
from tests.forked_commands import forked
from tests.ledger.ledgers import postgres
from tests.marketplace import test_hooks
from tests.meshes import edited, indented, product_file
from tests.refresh.running import environment
from tests.services.test_change_streams import PORT

FILE, SUMMARY = product_file("plant", "readings"), product_file("office", "summary")
OWNER, TOMORROW = "plant-lead@example.com", (datetime.now(UTC) + timedelta(days=1)).date()
DEPRECATED = "lifecycle: deprecated\n        replacement: summary\n        end_date: {}"
SAID = ("--apply", "--by", OWNER, "--why", "The sensors are sold.")
machine = test_hooks.machine
# Kills the process before the first change of a file whose path ends like this.
DYING = """
import os, signal, sys
wanted = sys.argv.pop(1)
def dying(event, arguments):
    if event in ("os.rename", "os.remove") and str(arguments[1 if event == "os.rename" else 0]).endswith(wanted):
        os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(dying)
from platform_resources.cli.app import main
main()
"""


def run(mesh, *arguments):
    done = mesh.mesh(*arguments)
    return getattr(done.exception, "code", done.exit_code), " ".join(done.output.split())


def alone(mesh, end="2026-01-31"):
    """Nobody reads it any more, and its notice is over."""
    edited(mesh.root, FILE, "lifecycle: production", DEPRECATED.format(end))
    edited(mesh.root, SUMMARY, "interface: data-product\n", "interface: external\n")
    edited(mesh.root, SUMMARY, "{on: inputs}", "{cron: '0 5 * * *', timezone: Europe/Berlin}")
    for line in ("        associated_output_port: readings.measurements_sql\n", "        version: ^1\n", "        max_staleness: 36h\n"):
        edited(mesh.root, SUMMARY, line, "")
    edited(mesh.root, FILE, "to: 'product:summary'", "to: 'team:nobody', until: 2026-01-31")


def unchanged(mesh):
    assert (mesh.root / "warehouse/plant/readings.duckdb").exists() and mesh.shelf.latest() is not None
    assert not (mesh.root / "archive").exists()


@pytest.mark.parametrize(
    ("end", "arguments", "said"),
    [
        (None, SAID, "readings is not retired: its notice has not begun; it is still read: product summary"),
        (str(TOMORROW), SAID, f"readings is not retired: its notice runs until {TOMORROW}, for 1 more days"),
        ("2026-01-31", ("--apply", "--by", "eve@example.com", "--why", "x"), "eve@example.com does not own readings; its owners retire it: plant-lead"),
        ("2026-01-31", ("--apply", "--by", OWNER), "say why readings is retired"),
    ],
)  # fmt: skip
def test_what_may_not_be_retired_says_why_and_stays_as_it_is(published, end, arguments, said):
    if end is not None:
        alone(published, end)
    code, told = run(published, "retire", "readings", *arguments)
    assert (code, said in told) == (MISSED, True), told
    unchanged(published)


def test_the_plan_says_who_reads_it_and_what_is_removed_in_which_order_and_changes_nothing(published):
    published.shelf.pin("summary.measurements", published.shelf.latest().id)
    ledger = open_ledger(ledger_url(published.root, {}))
    with ledger.writing() as connection:
        subscribe(connection, "readings", "ana@example.com", "ana@example.com", "low", datetime.now(UTC))
    ledger.close()
    code, told = run(published, "retire", "readings")
    order = [
        told.index(f"{number} {name}") for number, name in enumerate(("archive", "schedules", "grants", "listeners", "ports", "storage"), 1)
    ]
    assert code == FINE and order == sorted(order), told
    for said in (
        "its notice has not begun",
        "still read by product summary: reads it by its input port measurements (^1)",
        "is kept for summary.measurements",
        "listeners (end subscriptions, hooks and topics; subscribers and hooks are told): the subscription of ana@example.com on ana@",
        "analyst of product:summary, in product.yaml",
        "1 version of ports measurements_sql, measurements_file",
        "nothing is changed; --apply does it",
    ):
        assert said in told, (said, told)
    plan = json.loads(published.mesh("retire", "readings", "--json").stdout)
    assert plan["obstacles"][1] == "it is still read: product summary" and plan["archive"] == "archive/plant/readings"
    unchanged(published)


def test_a_refresh_that_began_elsewhere_meanwhile_is_told_and_nothing_is_lost(published, monkeypatch):
    alone(published)

    def lost(shelves):
        raise DatabaseBusy("another place has begun to refresh readings; see what comes of that")

    with monkeypatch.context() as changes:
        changes.setattr(Shelf, "remove", lost)
        code, told = run(published, "retire", "readings", *SAID)
    assert code == CANNOT_RUN and "ports: another place has begun to refresh readings" in told and "goes on from here" in told, told
    assert published.shelf.latest() is not None


def test_a_process_killed_in_any_step_goes_on_where_it_was(published):
    alone(published)
    asked = (
        "access",
        "request",
        "readings",
        "--role",
        "analyst",
        "--to",
        "ana@example.com",
        "--purpose",
        "Reports.",
        "--by",
        "bob@example.com",
    )
    assert run(published, *asked)[0] == FINE
    for ending in ("archive/plant/readings", FILE, "latest.json", "measurements.parquet", "warehouse/plant/readings.duckdb"):
        done = forked([sys.executable, "-c", DYING, ending, "--root", str(published.root), "retire", "readings", *SAID], environment())
        assert done.returncode == -signal.SIGKILL, (ending, done.stdout, done.stderr)
    code, told = run(published, "retire", "readings", "--apply")
    assert code == FINE and "done: storage" in told and "done: ports" not in told, told
    assert run(published, "retire", "readings", "--apply")[1].endswith("nothing is left to do: readings is retired")

    since = f"retired since {datetime.now(UTC):%Y-%m-%d}; summary takes its place"
    for asked_of in (("query", "readings", "select 1"), ("refresh", "readings"), ("versions", "readings")):
        assert since in run(published, *asked_of)[1], asked_of
    (line,) = [line for line in published.mesh("status").output.splitlines() if "plant/readings" in line]
    assert line.split()[1:4] == ["retired", "-", "-"] and "it is retired" in line, line

    archive = archive_of(published.root, "plant", "readings")
    folder = published.root / archive.folder
    assert damaged(published.root, archive) == () and parquet_rows(folder / "measurements.parquet") == archive.rows == 3
    names = {"product.yaml", "readings.odps.yaml", "readings.odcs.yaml", "datsis.json", "measurements.parquet"}
    assert set(archive.files) == names and "lifecycle: deprecated" in (folder / "product.yaml").read_text()
    left = [
        path.relative_to(published.root).as_posix()
        for part in ("ports", "warehouse", "archive")
        for path in (published.root / part).rglob("*")
    ]
    assert [path for path in left if "readings" in path and "archive/plant/readings" not in path] == ["warehouse/plant/readings.lock"]
    assert not any(path.endswith(".part") for path in left)
    assert "readings is retired; summary takes its place" in run(published, "access", "show", "readings")[1] + run(published, *asked)[1]
    (grant,) = json.loads(published.mesh("access", "list", "--json").stdout)
    assert (grant["state"], "readings is retired" in grant["why"]) == ("rejected", True)


def test_who_hears_of_a_product_is_told_once_and_hears_no_more(published, machine):
    """A subscriber, a machine that was down at first, and a topic; what the machine was still to hear of versions is withdrawn."""
    alone(published)
    url, calls = machine
    began = datetime.now(UTC) - timedelta(days=1)
    version = Message("version/readings/v1/hook:1", "version", "hook:1", "readings", "plant", "", "new", "{}", began)
    (published.root / FILE).write_text(f"{(published.root / FILE).read_text().rstrip()}\n{indented(PORT, 4)}\n")
    (item,) = (port.store.stream.item for port in read_plan(published.root)[0].product("readings").outputs if port.store.stream is not None)
    topic = ControlDelivery("readings", "readings_changes", item, item, "v1", began, began, 4)
    ledger = open_ledger(ledger_url(published.root, {}))
    with ledger.writing() as connection:
        subscribe(connection, "readings", "ana@example.com", "ana@example.com", "low", began)
        subscribe(connection, "readings", "bob@example.com", "bob@example.com", "low", began)
        unsubscribe(connection, "readings", "bob@example.com", "bob@example.com", began)
        hook = add_hook(connection, VersionHook(0, "readings", "eve@example.com", url, new_seed(), began))
        outbox.queue(connection, [version], began)
        claim_delivery(connection, topic)
    told = run(published, "retire", "readings")[1]
    for each in ("subscription of ana@example.com on ana@", f"hook {hook.id} of eve@example.com", "the changes to plant.readings"):
        assert each in told, (each, told)
    assert run(published, "retire", "readings", *SAID)[0] == FINE

    plan, now = read_plan(published.root)[0], datetime.now(UTC)
    with ledger.writing() as connection:
        assert (subscriptions(connection, "readings"), hooks_of(connection, ["readings"])) == ((), ())
        (sent,) = control_deliveries(connection, ["readings"]).values()
        assert (sent.version, sent.last_error) == ("v1", "its product is retired")
        assert not note_delivery(connection, replace(topic, version="v2")), "who was sending loses the stream"
        assert outbox.keys_about(connection, "version", ["readings"]) == {version.key: "withdrawn"}
    for minutes in (1, 2, 30):
        at = now + timedelta(minutes=minutes)
        evaluate(ledger, published.root, plan, [product for product in plan.products if product.runs], installed_registry(), at, "plant")
        deliver_due(ledger, published.root, plan, [hook.channel], {}, at, "a test")
    with ledger.reading() as connection:
        retired = [entry for entry in outbox.messages(connection, since=now) if is_retired_key(entry.message.key)]
    ledger.close()
    assert sorted((entry.message.channel, entry.state) for entry in retired) == [("ana@example.com", "waiting"), (hook.channel, "sent")]
    (_, first), (_, body) = calls
    assert first == body and json.loads(body) == {
        "event": "product.retired",
        "product": "readings",
        "domain": "plant",
        "retired_at": json.loads(body)["retired_at"],
        "why": "The sensors are sold.",
        "replacement": "summary",
    }
    assert "With it ended the subscription of ana@example.com on ana@example.com, hook 1 of" in run(published, "describe", "readings")[1]
    again = run(published, "subscribe", "readings", "--channel", "ana@example.com", "--as", "ana@example.com")
    assert again == (CANNOT_RUN, "readings is retired; summary takes its place")
    assert run(published, "hook", "new", "readings", url, "--to", "ana@example.com") == again


def test_nothing_more_is_removed_where_the_archive_is_not_what_was_written(published):
    alone(published)
    command = [sys.executable, "-c", DYING, "latest.json", "--root", str(published.root), "retire", "readings", *SAID]
    assert forked(command, environment()).returncode == -signal.SIGKILL
    archived = published.root / "archive/plant/readings/measurements.parquet"
    archived.write_bytes(archived.read_bytes()[:-1])
    code, told = run(published, "retire", "readings", "--apply")
    assert code == FINE and "done: archive" in told, "it is written anew while there is something to write it from"
    archived.write_bytes(archived.read_bytes()[:-1])
    (published.root / "warehouse/plant/readings.duckdb").touch()
    code, told = run(published, "retire", "readings", "--apply")
    assert code == CANNOT_RUN and "the archive is not what was written: measurements.parquet" in told, told
    assert (published.root / "warehouse/plant/readings.duckdb").exists()


def test_whoever_reads_a_retired_product_is_told_what_takes_its_place(published):
    edited(published.root, FILE, "lifecycle: production", DEPRECATED.format(TOMORROW))
    edited(published.root, FILE, "replacement: summary", "replacement: readings")
    code, told = run(published, "retire", "readings", *SAID, "--although", "The plant burned down.")
    assert code == FINE, told
    code, told = run(published, "validate", "summary")
    assert "warning: readings is retired; readings takes its place" in told and "read an output port of readings" in told, told
    described = json.loads(published.mesh("describe", "readings", "--json").stdout)["retired"]
    assert (described["by"], described["archive"], described["rows"]) == (OWNER, "archive/plant/readings", 3)
    against = f"its notice runs until {TOMORROW}, for 1 more days; it is still read: product summary: The plant burned down."
    assert (described["why"], described["although"]) == ("The sensors are sold.", against)
    assert read_plan(published.root)[0].product("summary").inputs[0].upstream.offers.retired == "is retired; readings takes its place"


def test_what_a_server_of_tables_shows_of_it_goes_with_its_ports(published, monkeypatch):
    edited(
        published.root,
        FILE,
        "interface: file\n        format: parquet\n        data_set: measurements",
        "interface: postgres\n        data_set: measurements",
    )
    with postgres() as url:
        monkeypatch.setenv(SERVING.name, url.replace("+psycopg2", ""))
        publish_readings(published.root, NOW + timedelta(minutes=1))
        shown = "select count(*) from information_schema.tables where table_name = 'measurements'"

        def tables():
            with psycopg.connect(SERVING.value(os.environ)) as connection:
                return connection.execute(shown).fetchone()[0]

        assert tables() > 0
        alone(published)
        for server in ("", "postgresql://127.0.0.1:1/none"):
            monkeypatch.setenv(SERVING.name, server)
            code, told = run(published, "retire", "readings", *SAID)
            assert code == CANNOT_RUN and "ports: " in told and (server[13:22] or SERVING.name) in told, told
            assert "the same command goes on from here" in told
        assert published.shelf.latest() is not None, "while the server is away nothing of its ports is removed"
        monkeypatch.setenv(SERVING.name, url.replace("+psycopg2", ""))
        code, told = run(published, "retire", "readings", "--apply")
        assert (code, tables()) == (FINE, 0), told
