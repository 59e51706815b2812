"""A mesh whose time is told by the test: refreshed, evaluated and delivered at any moment, with real receivers for its messages."""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import dagster as dg

from platform_resources.dbt.planning import read_plan
from platform_resources.incidents.board import changed
from platform_resources.incidents.life_cycle import IncidentEvent
from platform_resources.ledger.database import Ledger, ledger_url, open_ledger
from platform_resources.ledger.people import incident_store
from platform_resources.ledger.people.incident_store import StoredIncident
from platform_resources.ledger.people.outbox import OutboxEntry, messages
from platform_resources.orchestration.evaluation_job import run_evaluations
from platform_resources.orchestration.events.ledger_events import synced_ledger
from platform_resources.orchestration.refresh_runs import Refreshed, refresh
from platform_resources.plan.plan import MeshPlan
from platform_resources.promises.grades import ProductHealth
from platform_resources.repository.mesh_folders import state_folder
from platform_resources.services.delivering import Delivered, deliver_due
from platform_resources.services.product_status import looked_at
from platform_resources.services.trust import Trust
from tests.notify.receivers import MailServer, WebServer, mail_server, web_server
from tests.refresh.running import RunningMesh, running

# What the models of a rehearsed mesh ask for the time, since a database's own clock cannot be set: a file of this process, also of copies.
NOW_FILE = Path(tempfile.mkdtemp(prefix="rehearsal-")) / "now.txt"
NOW_SQL = f"cast((select content from read_text('{NOW_FILE}')) as timestamptz)"


@dataclass
class Rehearsal:
    """The mesh with its Dagster instance and the environment of those who send."""

    root: Path
    instance: dg.DagsterInstance
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def plan(self) -> MeshPlan:
        return read_plan(self.root)[0]

    @property
    def state(self) -> Path:
        return state_folder(self.root)

    def refresh(self, now: datetime, *names: str) -> dict[str, Refreshed]:
        NOW_FILE.write_text(now.isoformat())
        plan = self.plan
        return {done.product: done for done in refresh(self.root, plan, names, self.instance, None, _say_nothing, now.isoformat())}

    def evaluate(self, now: datetime, *domains: str) -> None:
        """These domains in this order, or all."""
        plan = self.plan
        for domain in domains or tuple(dict.fromkeys(product.domain for product in plan.products)):
            (done,) = run_evaluations(self.root, plan, self.instance, [domain], now.isoformat())
            assert done.problems == (), done

    def deliver(self, now: datetime) -> Delivered:
        with synced_ledger(self.state, self.instance, now) as ledger:
            return deliver_due(ledger, self.state, self.plan, None, self.environment, now, "rehearsal")

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        ledger = open_ledger(ledger_url(self.state, os.environ))
        try:
            yield ledger
        finally:
            ledger.close()

    def incident(self, name: str) -> StoredIncident:
        with self.ledger() as ledger, ledger.reading() as connection:
            found = incident_store.incident_named(connection, name)
        assert found is not None, name
        return found

    def live(self) -> dict[str, tuple[str, ...]]:
        """The incidents that are not over, each with those that suffer from it."""
        with self.ledger() as ledger, ledger.reading() as connection:
            found = incident_store.incidents_of(connection, live=True)
        return {each.incident.name: each.incident.impacted for each in sorted(found, key=lambda each: each.incident.name)}

    def events(self, name: str) -> list[str]:
        """What happened to an incident: `attached revenue`."""
        with self.ledger() as ledger, ledger.reading() as connection:
            return [f"{event.kind} {event.note}".strip() for event in incident_store.events_of(connection, name)]

    def act(self, cause: str, act: Any) -> tuple[IncidentEvent, ...]:
        """What a person does to the newest incident of a cause, as `mesh ack` and `mesh resolve` do it."""
        with self.ledger() as ledger, ledger.projecting() as connection:
            before = incident_store.board(connection)
            after, events = changed(before, cause, act)
            incident_store.keep_board(connection, before, after, events)
        return events

    def statuses(self, now: datetime) -> dict[str, str]:
        return statuses(self.looked_at(now)[0])

    def missed(self, now: datetime) -> dict[str, set[str]]:
        """The titles of all checks that are missed, by product."""
        return missed(self.looked_at(now)[0])

    def trust(self, now: datetime) -> dict[str, Trust]:
        return self.looked_at(now)[1]

    def looked_at(self, now: datetime) -> tuple[tuple[ProductHealth, ...], dict[str, Trust]]:
        """How every product is, and how far it can be trusted."""
        with synced_ledger(self.state, self.instance, now) as ledger:
            plan = self.plan
            return looked_at(ledger, self.state, plan, plan.products, now)

    def outbox(self, *kinds: str) -> Sequence[OutboxEntry]:
        with self.ledger() as ledger, ledger.reading() as connection:
            found = messages(connection, limit=1000)
        return [entry for entry in found if entry.message.kind in kinds or not kinds]

    def told(self, *kinds: str) -> list[tuple[str, str, str]]:
        """Kind, channel and state of every message of these kinds, sorted."""
        return sorted((entry.message.kind, entry.message.channel, entry.state) for entry in self.outbox(*kinds))

    def check(self, product: str, name: str) -> dg.AssetCheckEvaluation:
        """What Dagster heard last of a check on the product's scorecard."""
        return RunningMesh(self.root, self.instance).check(product, ("scorecard",), name)

    def scorecard(self, product: str) -> Mapping[str, Any]:
        """The metadata of the product's newest scorecard."""
        return RunningMesh(self.root, self.instance).scorecard(product)


def statuses(products: Sequence[ProductHealth]) -> dict[str, str]:
    return {product.product: product.status for product in products}


def missed(products: Sequence[ProductHealth]) -> dict[str, set[str]]:
    return {each.product: {check.title for check in each.checks if check.verdict == "missed"} for each in products}


def _say_nothing(product: str, step: str) -> None:
    """Progress is for people."""


@contextmanager
def rehearsal(root: Path, environment: Mapping[str, str] | None = None) -> Iterator[Rehearsal]:
    with running(root) as mesh:
        yield Rehearsal(root, mesh.instance, environment or {})


@dataclass(frozen=True, slots=True)
class Receivers:
    """A mail server and a web server; `urls` of the web server end with the name that is asked for."""

    mail: MailServer
    web: WebServer

    def url(self, name: str) -> str:
        return f"json://127.0.0.1:{self.web.port}/{name}"

    def chats(self) -> list[tuple[str, str]]:
        """Room and subject of each message, in the order in which they came."""
        return [(request["path"].strip("/"), request["body"]["title"]) for request in self.web.requests]

    def mails(self) -> list[tuple[str, str]]:
        return [(mail["To"], mail["Subject"]) for mail in self.mail.mails]

    def texts(self) -> list[str]:
        return [request["body"]["message"] for request in self.web.requests] + [mail_text(mail) for mail in self.mail.mails]


def mail_text(mail: Any) -> str:
    part = mail.get_body(("plain",)) or mail.get_body(("html",))
    return str(part.get_content())


@contextmanager
def receivers() -> Iterator[Receivers]:
    with ExitStack() as stack:
        yield Receivers(stack.enter_context(mail_server()), stack.enter_context(web_server()))
