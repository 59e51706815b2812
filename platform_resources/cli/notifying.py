"""Commands about notifications: channels, outbox, subscriptions."""

import os
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, get_args

import typer
from rich.table import Table

from platform_resources.cli.specs import Json
from platform_resources.cli.terminal.console import (
    CANNOT_RUN,
    FINE,
    Clocks,
    Stop,
    cell,
    clocks,
    mesh_of,
    out,
    plain,
    print_json,
    print_table,
    product_of,
    stop,
    words,
    you,
)
from platform_resources.cli.terminal.memory import opened
from platform_resources.repository.mesh_folders import mesh_root
from platform_resources.spec.notifications import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from platform_resources.ledger.people.outbox import OutboxEntry
    from platform_resources.plan.routes import ChannelPlan

RECENTLY = timedelta(days=1)
STATES = {"sent": "green", "waiting": "", "sending": "", "failing": "red", "given up": "red", "withdrawn": "dim"}
Product = Annotated[str, typer.Argument(help="The product.")]
As = Annotated[str | None, typer.Option("--as", help="Whose subscription it is; you, if left out.")]


def channels(
    context: typer.Context,
    test: Annotated[str | None, typer.Option(help="Send a test message to this channel or e-mail address now.")] = None,
    as_json: Json = False,
) -> None:
    """List notification channels and what each lacks in this environment; or send a test message."""
    from platform_resources.services.showing.channel_states import channel_states, channels_of

    known = channels_of(mesh_of(context)[1])
    if test is not None:
        _test(known, test, as_json)
    states = channel_states(known, os.environ)
    if as_json:
        print_json([asdict(state) for state in states])
        return
    table = Table("channel", "domain", "URL", "here", box=None, header_style="bold")
    for state in states:
        here = "[green]ready[/]" if state.ready else f"[yellow]{plain(state.missing)}[/]"
        table.add_row(cell(state.channel), cell(state.domain), cell(state.url), here)
    out.print(table)


def _test(known: "Mapping[str, ChannelPlan]", name: str, as_json: bool) -> NoReturn:
    from platform_resources.notify.addresses import ChannelUnusable
    from platform_resources.notify.delivery import DeliveryFailed
    from platform_resources.services.showing.channel_states import send_test

    error = ""
    try:
        send_test(known, name, os.environ, datetime.now(UTC))
    except (ChannelUnusable, DeliveryFailed) as failure:
        error = str(failure)
    if as_json:
        print_json({"channel": name, "sent": not error, "error": error})
        raise Stop(CANNOT_RUN if error else FINE)
    if error:
        stop(f"the test message was not sent: {error}", CANNOT_RUN)
    words.print(f"a test message was sent to {plain(name)}", style="green")
    raise Stop(FINE)


def notifications(
    context: typer.Context,
    number: Annotated[int | None, typer.Argument(help="Show the text of the message in this line of the list.", metavar="N")] = None,
    every: Annotated[bool, typer.Option("--all", help="Also what was sent, withdrawn or given up before yesterday.")] = False,
    as_json: Json = False,
) -> None:
    """Show the outbox: waiting, failed and abandoned messages, and those sent since yesterday; or one message."""
    root = mesh_root(context.obj)
    from platform_resources.ledger.people.outbox import open_and_recent

    with opened(root) as ledger, ledger.reading() as connection:
        entries = open_and_recent(connection, None if every else datetime.now(UTC) - RECENTLY)
    chosen = entries if number is None else (_numbered(entries, number),)
    if as_json:
        data = [_entry_data(entry) for entry in chosen]
        print_json(data if number is None else data[0])
        return
    told_by = clocks(root, {entry.message.product for entry in chosen if entry.message.product})
    if number is not None:
        _print_message(chosen[0], told_by)
        return
    table = Table("N", "written", "state", "channel", "what", "product", "subject", "attempts", "why", box=None, header_style="bold")
    for line, entry in enumerate(entries, 1):
        message, written = entry.message, told_by.moment(entry.message.product, entry.created_at)
        shown = (message.channel, message.kind, message.product, message.subject, entry.attempts, _why(entry, told_by))
        table.add_row(str(line), written, _state(entry), *map(cell, shown))
    out.print(table if entries else "there are no notifications" + ("" if every else " since yesterday"))


def _numbered(entries: "Sequence[OutboxEntry]", number: int) -> "OutboxEntry":
    """The newest has number 1, as in the list."""
    if not 1 <= number <= len(entries):
        there = f"1 to {len(entries)}" if len(entries) > 1 else "only 1" if entries else "none"
        stop(f"there is no message {number}; there are: {there} (with --all more); see mesh notifications", CANNOT_RUN)
    return entries[number - 1]


def _print_message(entry: "OutboxEntry", told_by: Clocks) -> None:
    """As it is, or will be, sent: a subject and Markdown."""
    message = entry.message
    why = _why(entry, told_by)
    out.print(cell(f"To: {message.channel}"), soft_wrap=True)
    out.print(cell(f"Written: {told_by.moment(message.product, entry.created_at)}"))
    sent_at = f" {told_by.moment(message.product, entry.sent_at)}" if entry.sent_at else ""
    out.print(cell(f"State: {entry.state}{sent_at}{f': {why}' if why else ''}"), soft_wrap=True)
    out.print(cell(f"Subject: {message.subject}"), soft_wrap=True)
    out.print()
    out.print(cell(message.body), soft_wrap=True)


def _state(entry: "OutboxEntry") -> str:
    style = STATES[entry.state]
    return f"[{style}]{entry.state}[/]" if style else entry.state


def _why(entry: "OutboxEntry", told_by: Clocks) -> str:
    product, later = entry.message.product, entry.message.not_before
    match entry.state:
        case "failing":
            again = f"; again at {told_by.moment(product, entry.next_at)}" if entry.next_at else ""
            return f"{entry.last_error}{again}"
        case "given up" | "sending":
            return entry.last_error
        case "withdrawn":
            return entry.reason
        case "waiting":
            return entry.last_error or (f"not before {told_by.moment(product, later)}" if later > entry.created_at else "")
        case "sent":
            return ""


def _entry_data(entry: "OutboxEntry") -> dict[str, Any]:
    return {**asdict(entry.message), **{name: value for name, value in asdict(entry).items() if name != "message"}}


def subscribe(
    context: typer.Context,
    product: Product,
    channel: Annotated[str, typer.Option(help="Where to: <domain>.<channel>, or an e-mail address.")],
    severity: Annotated[str, typer.Option(help="The least severity to hear of: low, medium, high or critical.")] = "medium",
    person: As = None,
) -> None:
    """Subscribe to a product's incidents; repeat to change the least severity."""
    from platform_resources.ledger.people.subscriptions import subscribe as begin
    from platform_resources.services.showing.channel_states import channels_of

    root, plan = mesh_of(context)
    named, least = product_of(plan, product), _severity(severity)
    name = named.name
    if named.offers.retired is not None:
        stop(f"{name} {named.offers.retired}", CANNOT_RUN)
    _refuse_unknown(channels_of(plan), channel)
    who = person or you("--as")
    with opened(root) as ledger, ledger.writing() as connection:
        begin(connection, name, who, channel, least, datetime.now(UTC))
    words.print(f"{plain(who)} will hear about {name} on {plain(channel)}, from severity {least} on", style="green")


def unsubscribe(
    context: typer.Context,
    product: Product,
    channel: Annotated[str, typer.Option(help="The channel or e-mail address of the subscription.")],
    person: As = None,
) -> None:
    """End a subscription, also to a product that is gone."""
    from platform_resources.ledger.people.subscriptions import unsubscribe as end

    who = person or you("--as")
    with opened(mesh_root(context.obj)) as ledger, ledger.writing() as connection:
        ended = end(connection, product, who, channel, datetime.now(UTC))
    if not ended:
        stop(f"{who} has no subscription of {product} on {channel}; see mesh subscriptions {product}", CANNOT_RUN)
    words.print(f"{plain(who)} will hear no more about {plain(product)} on {plain(channel)}", style="green")


def subscriptions(
    context: typer.Context,
    product: Annotated[str | None, typer.Argument(help="Of this product only.")] = None,
    as_json: Json = False,
) -> None:
    """List subscriptions: who, to which product, on which channel, and from which severity on."""
    from platform_resources.ledger.people.subscriptions import subscriptions as current

    with opened(mesh_root(context.obj)) as ledger, ledger.reading() as connection:
        subscribed = current(connection, product)
    if as_json:
        print_json([asdict(subscription) for subscription in subscribed])
        return
    told_by = clocks(mesh_root(context.obj), {subscription.product for subscription in subscribed})
    rows = [(s.product, s.subscriber, s.channel, s.severity, told_by.moment(s.product, s.since)) for s in subscribed]
    none = "there are no subscriptions" + (f" of {plain(product)}" if product else "")
    print_table(("product", "who", "channel", "from severity", "since"), rows, none)


def _severity(text: str) -> Severity:
    known: dict[str, Severity] = {severity: severity for severity in get_args(Severity)}
    if text not in known:
        stop(f'--severity is "{text}"; write {", ".join(list(known)[:-1])} or {list(known)[-1]}', CANNOT_RUN)
    return known[text]


def _refuse_unknown(known: "Mapping[str, ChannelPlan]", channel: str) -> None:
    """A channel whose variables are not set here may be ready where messages are sent from."""
    from platform_resources.notify.addresses import ChannelUnusable, refuse_unknown

    try:
        refuse_unknown(channel, known)
    except ChannelUnusable as error:
        stop(str(error), CANNOT_RUN)
