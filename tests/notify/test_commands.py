"""The commands channels, notifications, subscribe, unsubscribe and subscriptions."""

import json
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from platform_resources.cli.app import app
from platform_resources.ledger.database import open_ledger
from platform_resources.ledger.people.outbox import claimed, failed, queue, sent, withdraw
from tests.meshes import edited
from tests.notify.messages import message
from tests.notify.receivers import free_port, mail_server, web_server

pytestmark = pytest.mark.slow
DOMAIN = "dataproducts/plant/domain.yaml"


@dataclass(frozen=True)
class Mesh:
    root: Path

    def __call__(self, *arguments, code=0):
        result = CliRunner().invoke(app, ["--root", str(self.root), *map(str, arguments)])
        left = getattr(result.exception, "code", 0) if result.exception is not None else 0
        assert left == code, result.output + repr(result.exception)
        return result

    def data(self, *arguments, code=0):
        return json.loads(self(*arguments, "--json", code=code).stdout)

    def ledger(self):
        return open_ledger(f"sqlite:///{self.root}/.mesh/ledger.sqlite")


@pytest.fixture
def mesh(tiny, monkeypatch):
    for variable in ("MESH_STATE", "DAGSTER_HOME", "MESH_LEDGER", "MESH_MAIL", "HOOK"):
        monkeypatch.delenv(variable, raising=False)
    channels = (
        "channels:\n  alerts: {url: 'json://127.0.0.1:${PORT}/${HOOK}', description: On call.}\n  future: {url: 'teleport://${HOOK}'}\n"
    )
    edited(tiny, DOMAIN, "title: Plant\n", f"title: Plant\n{channels}")
    monkeypatch.setenv("PORT", str(free_port()))
    return Mesh(tiny)


def test_channels_are_listed_with_what_is_missing_for_them(mesh, monkeypatch):
    alerts, future, mail = mesh.data("channels")
    assert alerts == {
        "channel": "plant.alerts",
        "domain": "plant",
        "url": "json://127.0.0.1:${PORT}/${HOOK}",
        "description": "On call.",
        "ready": False,
        "missing": "channel plant.alerts needs the environment variable HOOK, which is not set",
    }
    assert (future["ready"], mail["ready"], mail["channel"], mail["url"]) == (False, False, "e-mail addresses", "${MESH_MAIL}")
    assert mail["missing"].startswith("e-mail needs the environment variable MESH_MAIL, which is not set; ")

    monkeypatch.setenv("HOOK", "s3cret")
    monkeypatch.setenv("MESH_MAIL", "mailto://mesh:s3cret@mail.example.com/?from=mesh@example.com")
    alerts, future, mail = mesh.data("channels")
    assert (alerts["ready"], mail["ready"], alerts["missing"]) == (True, True, "")
    assert future["missing"] == 'channel plant.future cannot be used: Apprise knows no service "teleport://"'
    assert mail["url"] == "mailto://mesh:***@mail.example.com/?from=mesh@example.com"
    assert "s3cret" not in mesh("channels").output


@pytest.mark.slow
def test_a_channel_can_be_tried(mesh, monkeypatch):
    monkeypatch.setenv("HOOK", "s3cret")
    with web_server(statuses=[500], answer="no s3cret") as server:
        monkeypatch.setenv("PORT", str(server.port))
        told = mesh("channels", "--test", "plant.alerts", code=3).stderr
        assert told == "the test message was not sent: Failed to send JSON POST notification: Internal server error., error=500; no ***\n"
        assert mesh("channels", "--test", "plant.alerts").stderr == "a test message was sent to plant.alerts\n"
        assert mesh.data("channels", "--test", "plant.alerts") == {"channel": "plant.alerts", "sent": True, "error": ""}
    assert server.requests[0]["path"].strip("/") == "s3cret"
    assert [request["body"]["title"] for request in server.requests] == ["Test of the channel plant.alerts"] * 2
    assert len(set(server.keys)) == 2


@pytest.mark.slow
def test_an_e_mail_address_can_be_tried(mesh, monkeypatch):
    with mail_server() as server:
        monkeypatch.setenv("MESH_MAIL", server.url())
        mesh("channels", "--test", "ann@example.com")
    assert server.mails[0]["Subject"] == "Test of the channel ann@example.com"


@pytest.mark.parametrize("command", [("channels", "--test", "plant.alert"), ("subscribe", "readings", "--channel", "plant.alert")])
def test_an_unknown_channel_is_told_with_those_there_are(mesh, command):
    told = mesh(*command, code=3).stderr
    assert told.endswith('no channel "plant.alert"; known: plant.alerts, plant.future\ndid you mean "plant.alerts"?\n')


def test_a_test_of_a_channel_that_is_not_ready_says_what_is_missing(mesh):
    found = mesh.data("channels", "--test", "plant.alerts", code=3)
    assert found["error"] == "channel plant.alerts needs the environment variable HOOK, which is not set"


def test_notifications_show_the_outbox(mesh):
    now = datetime.now(UTC)
    ledger = mesh.ledger()

    def queued(state, at=now):
        with ledger.writing() as connection:
            queue(connection, [message("plant.alerts", key=state, subject=f"[red]{state}[/]", not_before=at)], at)

    def claim(at=now):
        return claimed(ledger, "tester", None, at, 1)[0]

    queued("sent long ago", now - timedelta(days=9))
    sent(ledger, claim(), now - timedelta(days=9))
    queued("withdrawn")
    with ledger.writing() as connection:
        withdraw(connection, ["withdrawn"], now, "it is over")
    queued("sent")
    sent(ledger, claim(), now)
    queued("failing long", now - timedelta(days=9))
    failed(ledger, claim(), now, "refused")
    queued("waiting", now + timedelta(hours=1))
    ledger.close()

    states = {each["key"]: each["state"] for each in mesh.data("notifications")}
    assert states == {"withdrawn": "withdrawn", "sent": "sent", "failing long": "failing", "waiting": "waiting"}
    assert {each["key"] for each in mesh.data("notifications", "--all")} == {*states, "sent long ago"}
    shown = mesh("notifications").stdout
    assert "refused; again at" in shown and "it is over" in shown and "[red]waiting[/]" in shown


def test_one_message_is_shown_as_it_is_sent_with_times_that_have_a_zone(mesh):
    now = datetime.now(UTC)
    ledger = mesh.ledger()
    with ledger.writing() as connection:
        queue(connection, [message("plant.alerts", key="old", product="readings")], now - timedelta(hours=1))
        text = "**Readings** are [late].\n\n- since six"
        queue(connection, [message("plant.alerts", key="new", product="readings", subject="Readings are late", body=text)], now)
    ledger.close()
    first, second = mesh("notifications").stdout.splitlines()[1:3]
    assert first.split()[0] == "1" and "Readings are late" in first
    assert second.split()[0] == "2"
    shown = mesh("notifications", "1").stdout
    assert (
        shown.startswith("To: plant.alerts\nWritten: ")
        and "Subject: Readings are late\n\n**Readings** are [late].\n\n- since six\n" in shown
    )
    assert re.search(r"Written: \w{3} \d+ \w{3}, \d\d:\d\d (CET|CEST)\n", shown), "the clock of readings is that of Berlin"
    data = mesh.data("notifications", "2")
    assert data["key"] == "old" and data["created_at"].endswith("+00:00")
    assert (
        mesh("notifications", "3", code=3).stderr == "there is no message 3; there are: 1 to 2 (with --all more); see mesh notifications\n"
    )
    assert "there is no message 0" in mesh("notifications", "0", code=3).stderr


def test_an_empty_outbox_is_told(mesh):
    assert mesh("notifications").stdout == "there are no notifications since yesterday\n"
    assert mesh.data("notifications") == []


def test_people_subscribe_and_unsubscribe(mesh):
    assert mesh("subscriptions").stdout == "there are no subscriptions\n"
    mesh("subscribe", "readings", "--channel", "plant.alerts", "--as", "ann")
    mesh("subscribe", "readings", "--channel", "ann@example.com", "--severity", "low", "--as", "ann")
    mesh("subscribe", "summary", "--channel", "plant.alerts", "--severity", "critical", "--as", "ben")
    told = mesh("subscribe", "readings", "--channel", "plant.alerts", "--severity", "high", "--as", "ann").stderr
    assert told == "ann will hear about readings on plant.alerts, from severity high on\n"
    found = [tuple(each.values())[:4] for each in mesh.data("subscriptions")]
    assert found == [
        ("readings", "ann", "ann@example.com", "low"),
        ("readings", "ann", "plant.alerts", "high"),
        ("summary", "ben", "plant.alerts", "critical"),
    ]
    assert [each["subscriber"] for each in mesh.data("subscriptions", "summary")] == ["ben"]
    assert (
        mesh("unsubscribe", "summary", "--channel", "plant.alerts", "--as", "ben").stderr
        == "ben will hear no more about summary on plant.alerts\n"
    )
    again = mesh("unsubscribe", "summary", "--channel", "plant.alerts", "--as", "ben", code=3).stderr
    assert again == "ben has no subscription of summary on plant.alerts; see mesh subscriptions summary\n"
    assert mesh("subscriptions", "summary").stdout == "there are no subscriptions of summary\n"


def test_whoever_says_no_name_subscribes_as_the_user(mesh, monkeypatch):
    monkeypatch.setenv("LOGNAME", "carla")
    mesh("subscribe", "readings", "--channel", "carla@example.com")
    assert mesh.data("subscriptions")[0]["subscriber"] == "carla"
    assert mesh.data("subscriptions")[0]["severity"] == "medium"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ("subscribe", "reading", "--channel", "plant.alerts"),
            'no product "reading"; known: readings, summary\ndid you mean "readings"?\n',
        ),
        (
            ("subscribe", "readings", "--channel", "plant.alerts", "--severity", "huge"),
            '--severity is "huge"; write low, medium, high or critical\n',
        ),
        (("subscribe", "readings", "--channel", "@ann"), '"@ann" is no e-mail address\n'),
    ],
)
def test_mistakes_in_a_subscription_are_told(mesh, arguments, told):
    assert mesh(*arguments, code=3).stderr == told
    assert os.environ.get("MESH_LEDGER") is None
