"""Deliver documents and events to control ports, and changes to topics, and retry until each is accepted."""

import hashlib
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Literal

from platform_resources.capabilities.components.control_port import EVENTS, ControlPort
from platform_resources.ledger.database import Ledger
from platform_resources.ledger.people.control_deliveries import (
    ControlDelivery,
    claim_delivery,
    control_deliveries,
    forget_deliveries,
    note_delivery,
)
from platform_resources.ledger.queries.history import publications, runs
from platform_resources.notify.delivery import UNREACHED, unreached, web_opener, within_limit
from platform_resources.plan import conventions
from platform_resources.plan.plan import MeshPlan, ProductPlan
from platform_resources.publications.published_versions import CLOSED, shelf
from platform_resources.publications.version_records import VersionsUnreadable
from platform_resources.publications.whole_files import replace_text
from platform_resources.redaction.redaction import Mask, parts, url_secrets
from platform_resources.services.control_ports.change_streams import streams_sent
from platform_resources.services.control_ports.declared_ports import ControlPortPlan, control_ports
from platform_resources.services.control_ports.lineage_events import EventsUnavailable, event_text, happenings
from platform_resources.services.showing.column_lineage import mesh_lineage
from platform_resources.services.standards.exported_products import CannotExport, export
from platform_resources.spec.values.channel_urls import VARIABLE

# Of refreshes that began longer ago nothing new is told.
EVENTS_OVER = timedelta(days=7)
KEPT = timedelta(days=30)
LONGEST_WAIT = timedelta(hours=1)
# For the process that sends to note what became of it.
ALLOWANCE = timedelta(minutes=1)
KEY_HEADER = "Idempotency-Key"


class NotTaken(Exception):
    """Raised if a control port rejects a delivery; says why, without secrets."""


@dataclass(frozen=True, slots=True)
class Item:
    """Something to deliver to a port: a document (`name` is empty) or an event, its version, and how to build its text."""

    name: str
    version: str
    text: Callable[[], str]


@dataclass(frozen=True, slots=True)
class RegisteredPorts:
    """How many documents and events were accepted, and by port why others, or changes, were not."""

    taken: int = 0
    failed: tuple[str, ...] = ()


def register(
    ledger: Ledger,
    root: Path,
    state: Path,
    plan: MeshPlan,
    products: Sequence[ProductPlan],
    now: datetime,
    environment: Mapping[str, str] = os.environ,
) -> RegisteredPorts:
    """Deliver everything that these products' control ports and topics have not accepted yet. Sync the ledger first.

    A port that does not take one thing is left alone for the rest of the call. What was taken is not sent again while it is the same.
    """
    asked = [(product, port) for product in products for port in control_ports(product)]
    taken, failed = 0, [f"change stream {text}" for text in streams_sent(ledger, state, products, now)]
    if not asked:
        return RegisteredPorts(failed=tuple(failed))
    with ledger.reading() as connection:
        before = control_deliveries(connection, [product.name for product, _ in asked])
    for product, port in asked:
        for item in _items(ledger, root, state, plan, product, port, now):
            error = _sent(ledger, state, product, port, item, before.get((product.name, port.name, item.name)), now, environment)
            taken += error == ""
            if error:
                failed.append(f"control port {product.name}.{port.name}: {error}")
                break
        if port.settings.told_in == EVENTS:
            with ledger.writing() as connection:
                forget_deliveries(connection, product.name, port.name, now - KEPT)
    return RegisteredPorts(taken, tuple(failed))


def _items(
    ledger: Ledger, root: Path, state: Path, plan: MeshPlan, product: ProductPlan, port: ControlPortPlan, now: datetime
) -> Iterator[Item]:
    if port.settings.told_in == EVENTS:
        yield from _events(ledger, state, plan, product, now)
        return
    with suppress(VersionsUnreadable):  # the product's health tells of it
        latest = shelf(state, product.domain, product.name).latest()
        if latest is not None:
            yield Item("", latest.id, lambda: export(root, product, port.settings.told_in, port.settings.settings).text)


def _events(ledger: Ledger, state: Path, plan: MeshPlan, product: ProductPlan, now: datetime) -> Iterator[Item]:
    with ledger.reading() as connection:
        refreshes = runs(connection, product.name, now - EVENTS_OVER, now)
        published = publications(connection, product.name, now - EVENTS_OVER, now)
    lineage = mesh_lineage(state, plan)
    for run in refreshes:
        versions = [publication for publication in published if publication.run_id == run.run_id]
        for happening, at in happenings(run):
            version = next((version.version for version in versions), "") if happening == "COMPLETE" else ""
            yield Item(f"{run.run_id}:{happening}", version, partial(event_text, product, run, happening, at, versions, lineage))


def _sent(
    ledger: Ledger,
    state: Path,
    product: ProductPlan,
    port: ControlPortPlan,
    item: Item,
    before: ControlDelivery | None,
    now: datetime,
    environment: Mapping[str, str],
) -> str | None:
    """Why it was not taken; empty if it was, None if there was nothing to send, or it is not time yet."""
    if before is not None and item.name and before.taken_at is not None:
        return None
    try:
        text, error = item.text(), ""
    except (CannotExport, EventsUnavailable) as problem:
        text, error = "", str(problem)
    content = hashlib.sha256("\0".join((port.settings.place, item.version, text)).encode()).hexdigest()
    same = before if before is not None and before.content == content else None
    if same is not None and (same.taken_at is not None or now < same.next_at):
        return None
    attempts = same.attempts + 1 if same is not None else 1
    busy_until = now + port.settings.within + ALLOWANCE
    claim = ControlDelivery(product.name, port.name, item.name, content, item.version, now, busy_until, attempts, "it is being sent")
    with ledger.writing() as connection:
        if not claim_delivery(connection, claim):
            return None
    if not error:
        try:
            send(state, port.settings, text, content, environment)
        except NotTaken as problem:
            error = str(problem)
    wait = min(LONGEST_WAIT, timedelta(minutes=2 ** min(attempts - 1, 10)))
    done = replace(claim, next_at=now + wait, last_error=error) if error else replace(claim, next_at=now, last_error="", taken_at=now)
    with ledger.writing() as connection:
        note_delivery(connection, done)
    return error


def send(state: Path, port: ControlPort, text: str, key: str, environment: Mapping[str, str]) -> None:
    """Send a text to a control port, or write it into its file (events as lines). Raises NotTaken."""
    if port.file is not None:
        _write(state / conventions.REGISTERED, port.file, text, port.told_in == EVENTS)
        return
    url, headers, secrets = _filled(port, environment)
    media = "application/json" if text.lstrip().startswith(("{", "[")) else "application/yaml"
    request = urllib.request.Request(url, text.encode(), {"content-type": media, "user-agent": "mesh", **headers, KEY_HEADER: key})
    hide = Mask(frozenset({*secrets, *url_secrets(url)}))
    outcome = within_limit(port.within, lambda: _posted(request, port.within, hide))
    if outcome is not True:
        raise outcome or NotTaken("it did not answer in time")


def _posted(request: urllib.request.Request, within: timedelta, hide: Mask) -> Literal[True]:
    try:
        with _OPENER.open(request, timeout=within.total_seconds()):
            return True
    except urllib.error.HTTPError as error:
        said = error.read(500).decode("utf-8", "replace").strip()
        error.close()
        raise NotTaken(hide(f"it answers with status {error.code}" + (f": {said}" if said else ""))) from error
    except UNREACHED as error:
        raise NotTaken(hide(unreached(error))) from error


def _filled(port: ControlPort, environment: Mapping[str, str]) -> tuple[str, dict[str, str], set[str]]:
    """The address and the headers with what variables of the environment hold, and what of it is secret."""
    texts = {"url": port.url or "", **port.headers}
    names = {name for text in texts.values() for name in VARIABLE.findall(text)}
    missing = sorted(name for name in names if not environment.get(name, "").strip())
    if missing:
        raise NotTaken(f"{', '.join(missing)} is not set in the environment")
    filled = {key: VARIABLE.sub(lambda match: environment[match[1]].strip(), text) for key, text in texts.items()}
    secrets = {part for name in names for part in parts(environment[name].strip())}
    return filled.pop("url"), filled, secrets


def _write(folder: Path, file: str, text: str, appended: bool) -> None:
    """In a folder of their own: whatever a team calls its file, it is none of the platform's or of another's product."""
    path = folder / file
    try:
        folder.mkdir(mode=CLOSED, parents=True, exist_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        if appended:
            with path.open("a", encoding="utf-8") as lines:
                lines.write(text + "\n")
        else:
            replace_text(path, text)
    except OSError as error:
        raise NotTaken(f"{path} cannot be written: {error.strerror or error}") from error


# Follows no redirection: a secret goes to nobody but the address that is declared.
_OPENER = web_opener()
