"""The outbox is emptied: each message once, each channel for itself, whoever dies on the way."""

import logging
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import text

from platform_resources.ledger.database import open_ledger
from platform_resources.ledger.people.outbox import Due, claimed, due, failed, messages, queue
from platform_resources.orchestration.delivery_sensor import delivery_sensor
from platform_resources.services.delivering import CLAIM_FOR, Delivered, deliver_due
from tests.ledger.ledgers import new_database
from tests.meshes import REPOSITORY
from tests.notify.messages import NOW, message, plan
from tests.notify.receivers import free_port, mail_server, web_server

pytestmark = pytest.mark.slow
ME = "tester"
MINUTE = timedelta(minutes=1)
# Where published versions are: these messages say nothing of any product.
NOWHERE = Path("nowhere")


def queued(ledger, *found):
    with ledger.writing() as connection:
        queue(connection, found, NOW)


def states(ledger) -> dict[str, str]:
    with ledger.reading() as connection:
        return {entry.message.key: entry.state for entry in messages(connection)}


def hook(server, path="in") -> str:
    return f"json://127.0.0.1:{server.port}/{path}"


def test_due_messages_are_sent_once(ledger):
    queued(ledger, message("sales.oncall"), message("sales.oncall", 2), message("sales.oncall", 3, not_before=NOW + MINUTE))
    with web_server() as server:
        told = plan(oncall=hook(server))
        assert deliver_due(ledger, NOWHERE, told, None, {}, NOW, ME) == Delivered(2, 0, ())
        assert deliver_due(ledger, NOWHERE, told, None, {}, NOW, ME) == Delivered(0, 0, ())
        assert deliver_due(ledger, NOWHERE, told, None, {}, NOW + MINUTE, ME) == Delivered(1, 0, ())
    assert server.keys == [f"incident/orders#{number}/sales.oncall" for number in (1, 2, 3)]
    assert set(states(ledger).values()) == {"sent"}


def test_only_the_channels_asked_for_are_served(ledger):
    queued(ledger, message("sales.oncall"), message("sales.other"))
    with web_server() as server:
        deliver_due(ledger, NOWHERE, plan(oncall=hook(server), other=hook(server)), ["sales.other"], {}, NOW, ME)
    assert server.keys == ["incident/orders#1/sales.other"]
    assert sorted(states(ledger).values()) == ["sent", "waiting"]


def test_a_channel_that_fails_holds_up_no_other_and_is_tried_once_in_a_call(ledger):
    down, who = f"json://127.0.0.1:{free_port()}/", "ann@example.com"
    queued(ledger, *(message(channel, number) for channel in ("sales.down", "sales.up", who) for number in (1, 2, 3)))
    with web_server() as web, mail_server() as mail:
        told = plan(down=down, up=hook(web))
        done = deliver_due(ledger, NOWHERE, told, None, {"MESH_MAIL": mail.url()}, NOW, ME)
    assert (done.sent, done.failed) == (6, 1)
    assert done.texts[0].startswith("sales.down: A Connection error occurred sending JSON notification to 127.0.0.1; ")
    assert (len(web.requests), len(mail.mails)) == (3, 3)
    assert sorted(states(ledger).values()) == ["failing"] + ["sent"] * 6 + ["waiting"] * 2


def test_a_web_hook_that_fails_for_a_while_gets_everything_in_the_end(ledger):
    queued(ledger, message("sales.oncall"), message("sales.oncall", 2))
    with web_server(statuses=[500, 503]) as server:
        told = plan(oncall=hook(server))
        done = [deliver_due(ledger, NOWHERE, told, None, {}, NOW + wait * MINUTE, ME) for wait in (0, 1, 5)]
    assert [(each.sent, each.failed) for each in done] == [(0, 1), (0, 1), (2, 0)]
    assert sorted(server.keys) == ["incident/orders#1/sales.oncall", "incident/orders#2/sales.oncall"]


def test_a_recipient_whom_the_server_refuses_takes_no_other_with_it(ledger):
    queued(ledger, message("ann@example.com"), message("bob@example.com"))
    with mail_server(refused={"ann@example.com"}) as server:
        done = deliver_due(ledger, NOWHERE, plan(), None, {"MESH_MAIL": server.url()}, NOW, ME)
    assert (done.sent, done.failed) == (1, 1)
    assert [mail["To"] for mail in server.mails] == ["bob@example.com"]


def test_a_variable_that_is_set_later_brings_the_message_then(ledger):
    queued(ledger, message("sales.oncall"))
    with web_server() as server:
        told = plan(oncall=f"json://127.0.0.1:{server.port}/${{HOOK}}")
        first = deliver_due(ledger, NOWHERE, told, None, {}, NOW, ME)
        assert deliver_due(ledger, NOWHERE, told, None, {"HOOK": "t0ken"}, NOW + 2 * MINUTE, ME) == Delivered(1, 0, ())
    assert first == Delivered(0, 1, ("sales.oncall: channel sales.oncall needs the environment variable HOOK, which is not set",))
    assert server.requests[0]["path"].strip("/") == "t0ken"


def test_a_channel_that_is_gone_is_accounted_for(ledger):
    queued(ledger, message("sales.gone"))
    assert deliver_due(ledger, NOWHERE, plan(here="json://x"), None, {}, NOW, ME).texts == (
        'sales.gone: no channel "sales.gone"; known: sales.here; did you mean "sales.here"?',
    )
    assert states(ledger) == {"incident/orders#1/sales.gone": "failing"}


def test_no_other_message_is_begun_when_time_is_up(ledger):
    """The first message alone takes longer than all of the time, however slow the machine is."""
    queued(ledger, *(message("sales.oncall", number) for number in range(5)))
    with web_server(seconds=0.05) as server:
        done = deliver_due(ledger, NOWHERE, plan(oncall=hook(server)), None, {}, NOW, ME, within=timedelta(seconds=0.01))
    assert done.sent <= 1 and list(states(ledger).values()).count("waiting") == 5 - done.sent


def test_secrets_are_in_no_row_and_in_no_log(ledger, caplog):
    caplog.set_level(logging.DEBUG)
    queued(ledger, message("sales.oncall"))
    with web_server(statuses=[500], answer="bad s3cret%2Ft0ken, s3cret/t0ken") as server:
        done = deliver_due(ledger, NOWHERE, plan(oncall=hook(server, "${HOOK}")), None, {"HOOK": "s3cret%2Ft0ken"}, NOW, ME)
    with ledger.reading() as connection:
        rows = str(connection.execute(text("select * from messages")).mappings().all())
    assert "bad ***, ***" in rows
    assert all(part not in shown for part in ("s3cret", "t0ken") for shown in (rows, str(done), caplog.text))


BYTES = "s3cr\udcffet"  # as Python takes a variable that is no UTF-8


@pytest.mark.parametrize("url", ["json://127.0.0.1:1/${HOOK}", "tgram://${HOOK}", "mailto://ann:${HOOK}@127.0.0.1:1", "json://${HOOK}"])
def test_a_channel_whose_secret_is_no_text_is_accounted_for_and_holds_up_no_other(ledger, url):
    queued(ledger, message("sales.broken"), message("sales.oncall"), message("sales.oncall", 2))
    with web_server() as server:
        done = deliver_due(ledger, NOWHERE, plan(broken=url, oncall=hook(server)), None, {"HOOK": BYTES}, NOW, ME)
    assert (done.sent, done.failed) == (2, 1)
    with ledger.reading() as connection:
        (entry,) = [each for each in messages(connection) if each.message.channel == "sales.broken"]
    assert (entry.state, bool(entry.last_error)) == ("failing", True)
    assert not any(part in text for part in ("s3cr", "udcff", "%FF") for text in (entry.last_error, str(done))), entry.last_error


class Vault(dict[str, str]):
    """Variables of which one cannot be read."""

    def get(self, name, default=None):
        if name == "SEALED":
            raise LookupError(f"no answer for s3cret {name}")
        return super().get(name, default)


def test_a_channel_on_which_something_raises_what_nobody_expects_is_accounted_for_and_holds_up_no_other(ledger):
    queued(ledger, message("sales.broken"), message("sales.oncall"))
    with web_server() as server:
        done = deliver_due(ledger, NOWHERE, plan(broken="json://${SEALED}", oncall=hook(server)), None, Vault(), NOW, ME)
    told = "sales.broken: LookupError, which nobody expected of it; `mesh channels --test sales.broken` may tell more"
    assert done == Delivered(1, 1, (told,))
    assert states(ledger) == {"incident/orders#1/sales.broken": "failing", "incident/orders#1/sales.oncall": "sent"}


def test_what_is_due_is_what_could_be_claimed(ledger):
    ann = "ann@example.com"
    queued(
        ledger,
        message(ann, domain="office", not_before=NOW - MINUTE),
        message("sales.oncall"),
        message("sales.later", not_before=NOW + MINUTE),
        message("sales.claimed"),
        message("sales.failing"),
    )
    claimed(ledger, ME, ["sales.claimed"], NOW, 1, CLAIM_FOR)
    failed(ledger, claimed(ledger, ME, ["sales.failing"], NOW, 1, CLAIM_FOR)[0], NOW, "no")

    def found(now):
        with ledger.reading() as connection:
            return due(connection, now)

    first = (Due(ann, "office"), Due("sales.oncall", "sales"))
    assert found(NOW) == first
    assert [each.channel for each in found(NOW + MINUTE)] == [ann, "sales.failing", "sales.oncall", "sales.later"]
    assert {each.channel for each in found(NOW + CLAIM_FOR)} == {ann, "sales.claimed", "sales.failing", "sales.oncall", "sales.later"}
    assert "sales.claimed" in {each.channel for each in found(NOW - 3 * MINUTE) + found(NOW + CLAIM_FOR)}


# Processes

DELIVER = """
import os, sys
from datetime import datetime, timedelta
from pathlib import Path
from platform_resources.ledger.database import open_ledger
from platform_resources.services.delivering import deliver_due
from tests.notify.messages import NOW, plan
told = plan(oncall=sys.argv[2], other=sys.argv[2])
done = deliver_due(open_ledger(sys.argv[1]), Path("nowhere"), told, None, {}, NOW, f"process {os.getpid()}")
print(done.sent, done.failed)
"""


def delivering(url, channel):
    return subprocess.Popen(
        [sys.executable, "-c", DELIVER, url, channel], env=os.environ | {"PYTHONPATH": str(REPOSITORY)}, stdout=subprocess.PIPE, text=True
    )


def test_what_a_killed_process_was_sending_is_sent_afterwards_with_the_same_key(sqlite_ledgers):
    import threading

    url = sqlite_ledgers.url()
    ledger = open_ledger(url)
    queued(ledger, message("sales.oncall"))
    with web_server(hold=threading.Event()) as server:
        process = delivering(url, hook(server))
        assert server.arrived.wait(300)
        process.send_signal(signal.SIGKILL)
        process.wait()
        server.hold.set()
        told = plan(oncall=hook(server))
        assert deliver_due(ledger, NOWHERE, told, None, {}, NOW, ME).sent == 0, "the dead process's claim stands for a while"
        assert deliver_due(ledger, NOWHERE, told, None, {}, NOW + CLAIM_FOR + MINUTE, ME).sent == 1
    assert set(server.keys) == {"incident/orders#1/sales.oncall"}
    assert states(ledger) == {"incident/orders#1/sales.oncall": "sent"}
    ledger.close()


def each_once(url):
    ledger = open_ledger(url)
    queued(ledger, *(message(channel, number) for channel in ("sales.oncall", "sales.other") for number in range(20)))
    with web_server(seconds=0.02) as server:
        running = [delivering(url, hook(server)) for _ in range(2)]
        told = [process.communicate(timeout=600)[0].split() for process in running]
    assert len(server.keys) == len(set(server.keys)) == 40
    assert sum(int(sent) for sent, _ in told) == 40
    assert set(states(ledger).values()) == {"sent"}
    ledger.close()


def test_two_processes_at_once_send_each_message_once_on_sqlite(sqlite_ledgers):
    each_once(sqlite_ledgers.url())


def test_two_processes_at_once_send_each_message_once_on_postgresql(postgres_server):
    each_once(new_database(postgres_server))


# The sensor


def ticked(sensor) -> str:
    with dg.instance_for_test() as instance:
        return sensor.evaluate_tick(dg.build_sensor_context(instance)).skip_message


@pytest.fixture
def state(tmp_path, monkeypatch):
    for variable in ("MESH_LEDGER", "MESH_MAIL"):
        monkeypatch.delenv(variable, raising=False)
    return tmp_path


def test_a_sensor_runs_every_minute_by_itself(state):
    sensor = delivery_sensor("sales", [], lambda: plan(), state, state)
    assert (sensor.name, sensor.minimum_interval_seconds) == ("deliver_sales", 60)
    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING


def test_a_sensor_without_a_ledger_makes_none(state):
    assert ticked(delivery_sensor("sales", [], lambda: plan(), state, state)) == "no message is due"
    assert list(state.iterdir()) == []


def test_a_sensor_with_nothing_due_writes_nothing(state):
    ledger = open_ledger(f"sqlite:///{state}/.mesh/ledger.sqlite")
    queued(ledger, message("sales.oncall", not_before=datetime.now(UTC) + timedelta(days=1)), message("office.other"))
    with ledger.writing():  # any other writer waits for 30 s, and fails
        assert ticked(delivery_sensor("sales", [], lambda: plan(oncall="json://x"), state, state)) == "no message is due"
    ledger.close()


def test_a_sensor_sends_for_its_domains_channels_and_by_mail_about_its_products(state, monkeypatch):
    ledger = open_ledger(f"sqlite:///{state}/.mesh/ledger.sqlite")
    ann, ben = "ann@example.com", "ben@example.com"
    queued(
        ledger,
        message("sales.oncall", domain="office"),
        message("office.other"),
        message(ann),
        message(ben, domain="office"),
        message("sales.gone"),
    )
    with web_server() as web, mail_server() as mail:
        monkeypatch.setenv("MESH_MAIL", mail.url())
        sensor = delivery_sensor("sales", [], lambda: plan(oncall=hook(web)), state, state)
        assert (
            ticked(sensor)
            == '2 messages sent; 1 not: sales.gone: no channel "sales.gone"; known: sales.oncall; did you mean "sales.oncall"?'
        )
        assert ticked(sensor) == "no message is due"
    assert (web.keys, [mail["To"] for mail in mail.mails]) == (["incident/orders#1/sales.oncall"], [ann])
    assert {key for key, state in states(ledger).items() if state == "waiting"} == {
        "incident/orders#1/office.other",
        f"incident/orders#1/{ben}",
    }
    ledger.close()
