"""Commands about incidents: incidents, ack, resolve, reopen."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.table import Table
from rich.text import Text

from platform_resources.cli.specs import Json
from platform_resources.cli.terminal.console import (
    CANNOT_RUN,
    FINE,
    MISSED,
    Clocks,
    Stop,
    cell,
    clocks,
    out,
    plain,
    print_json,
    print_table,
    stop,
    words,
    you,
)
from platform_resources.cli.terminal.memory import Sync, opened, shown
from platform_resources.dbt.planning import read_plan
from platform_resources.incidents import life_cycle
from platform_resources.incidents.life_cycle import Change, Incident
from platform_resources.repository.mesh_folders import mesh_root
from platform_resources.spec.problems import did_you_mean, known_text

if TYPE_CHECKING:
    from platform_resources.incidents.life_cycle import IncidentEvent
    from platform_resources.ledger.people.incident_store import StoredIncident

SEVERITIES = {"low": "dim", "medium": "yellow", "high": "red", "critical": "bold red"}
RECENTLY = timedelta(days=30)
Name = Annotated[str, typer.Argument(help="The incident's name, such as purchase_orders#3.", metavar="INCIDENT")]
By = Annotated[str | None, typer.Option("--by", help="Who does it; the name of the user of this computer if left out.")]
Note = Annotated[str, typer.Option("--note", help="What others should know.")]


def incidents(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="One incident (purchase_orders#3), or all of a product.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Also those that were resolved more than 30 days ago.")] = False,
    sync: Sync = False,
    as_json: Json = False,
) -> None:
    """Show incidents: what fails, since when, which products and consumers are affected, and what has happened."""
    from platform_resources.ledger.people.incident_store import events_of, incident_named
    from platform_resources.services.showing.incident_acts import NoSuchIncident
    from platform_resources.services.showing.incident_lists import listed_incidents

    now = datetime.now(UTC)
    with shown(mesh_root(context.obj), now, sync, as_json) as ledger, ledger.reading() as connection:
        one = incident_named(connection, name) if name else None
        if one is not None:
            _show(one, events_of(connection, one.incident.name), clocks(mesh_root(context.obj), [one.incident.cause]), as_json)
            raise Stop(MISSED if one.incident.live else FINE)
        try:
            listed = listed_incidents(connection, name, None if every else now - RECENTLY, now, lambda word: _is_product(context, word))
        except NoSuchIncident as error:
            _nothing(error.name, error.known)
    if as_json:
        print_json([_data(stored) for stored in listed.incidents])
    else:
        told_by = clocks(mesh_root(context.obj), [stored.incident.cause for stored in listed.incidents])
        _print_incidents(listed.incidents, told_by, "" if every else " in the last 30 days", name or "")
        _print_response(listed.response)
    raise Stop(MISSED if any(stored.incident.live for stored in listed.incidents) else FINE)


def ack(
    context: typer.Context,
    name: Name,
    start: Annotated[bool, typer.Option("--start", help="Say also that somebody works on it.")] = False,
    by: By = None,
    note: Note = "",
) -> None:
    """Acknowledge an incident, which stops its reminders."""
    who = by or you("--by")
    _act(
        context,
        name,
        lambda incident, at: life_cycle.started(incident, at, who, note) if start else life_cycle.acknowledged(incident, at, who, note),
    )


def resolve(
    context: typer.Context,
    name: Name,
    as_: Annotated[str, typer.Option("--as", help=f"How it ended: {', '.join(life_cycle.BY_HAND)}.", metavar="HOW")] = "fixed",
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="CHECK", help="Only this of its checks; what else fails gets an incident of its own."),
    ] = None,
    by: By = None,
    note: Note = "",
) -> None:
    """Resolve an incident. With expected, false-positive or no-action, failing checks are accepted until they pass again.

    Said again of an incident that is over, it changes how it was resolved: as fixed, what it had accepted counts again.
    """
    if as_ not in life_cycle.BY_HAND:
        hint = did_you_mean(as_, life_cycle.BY_HAND)
        stop(f'--as is "{as_}"; allowed: {known_text(life_cycle.BY_HAND)}' + (f"\n{hint}" if hint else ""), CANNOT_RUN)
    who = by or you("--by")
    _act(context, name, lambda incident, at: life_cycle.resolved(incident, life_cycle.BY_HAND[as_], at, who, note, only or ()))


def reopen(context: typer.Context, name: Name, by: By = None, note: Note = "") -> None:
    """Reopen an incident. What was accepted with its resolution counts again."""
    who = by or you("--by")
    _act(context, name, lambda incident, at: life_cycle.reopened(incident, at, who, note))


def _act(context: typer.Context, name: str, act: Callable[[Incident, datetime], Change]) -> None:
    from platform_resources.services.showing.incident_acts import NoSuchIncident, act_on

    with opened(mesh_root(context.obj)) as ledger:
        try:
            incident = act_on(ledger, name, act, datetime.now(UTC))
        except NoSuchIncident as error:
            _nothing(name, error.known)
        except life_cycle.IllegalTransition as error:
            cause = name.partition("#")[0]
            stop(error.told(lambda at: clocks(mesh_root(context.obj), [cause]).moment(cause, at)), CANNOT_RUN)
    out.print(f"{plain(incident.name)} is {incident.status}{_how(incident)}")


def _nothing(name: str, known: Sequence[Incident]) -> NoReturn:
    """End the command: there is no such incident."""
    names = [incident.name for incident in known]
    if not names:
        stop(f'no incident "{name}"; there was none yet. `mesh evaluate` looks for some now', CANNOT_RUN)
    hint = did_you_mean(name, names)
    problem = f'no incident and no product with incidents is called "{name}"; known: {known_text(names)}'
    stop(problem + (f"\n{hint}" if hint else ""), CANNOT_RUN)


def _is_product(context: typer.Context, name: str) -> bool:
    plan, _ = read_plan(mesh_root(context.obj))
    return name in {*(product.name for product in plan.products), *(rejected.name for rejected in plan.rejected)}


def _data(stored: "StoredIncident") -> dict[str, Any]:
    return {"name": stored.incident.name, "severity": stored.severity, "title": stored.title, **asdict(stored.incident)}


def _how(incident: Incident) -> str:
    return f" ({incident.resolution})" if incident.resolution else ""


def _print_incidents(incidents: "Sequence[StoredIncident]", told_by: Clocks, when: str = "", product: str = "") -> None:
    if not incidents:
        words.print(f"no incident{f' of {plain(product)}' if product else ''}{when}", style="green", highlight=False)
        return
    table = Table(box=None, header_style="bold")
    for column in ("incident", "severity", "status", "since", "lasted"):
        table.add_column(column, no_wrap=True)
    table.add_column("what is broken", overflow="fold")
    table.add_column("suffer from it", overflow="fold")
    for stored in incidents:
        table.add_row(*_row(stored, told_by))
    out.print(table)


def _row(stored: "StoredIncident", told_by: Clocks) -> tuple[str | Text, ...]:
    from platform_resources.services.trust import span_text

    incident = stored.incident
    colour = "green" if not incident.live else "red" if incident.status == "open" else "yellow"
    return (
        cell(incident.name),
        f"[{SEVERITIES[stored.severity]}]{stored.severity}[/]",
        f"[{colour}]{incident.status}[/]{_how(incident)}",
        told_by.moment(incident.cause, incident.began_at),
        span_text((incident.resolved_at or told_by.now) - incident.began_at),
        cell(stored.title),
        cell(", ".join(incident.impacted) or "-"),
    )


def _print_response(response: Any) -> None:
    from platform_resources.services.trust import response_table

    header, rows = response_table(response)
    if not rows:
        return
    out.print()
    print_table(header, rows)
    if response.acknowledged is not None:
        out.print(f"{100 * response.acknowledged:.0f} % were acknowledged")


def _show(stored: "StoredIncident", events: "Sequence[IncidentEvent]", told_by: Clocks, as_json: bool) -> None:
    if as_json:
        print_json({**_data(stored), "events": [asdict(event) for event in events]})
        return
    _print_incidents([stored], told_by)
    out.print()
    for check in stored.incident.checks:
        out.print(f"failed: {plain(check)}", highlight=False)
    table = Table("when", "what", "who", "", box=None, header_style="bold")
    for event in events:
        table.add_row(told_by.moment(stored.incident.cause, event.at), event.kind, cell(event.by), cell(event.note))
    out.print(table)
    out.print("\n".join(_next_steps(stored.incident)), highlight=False)


def _next_steps(incident: Incident) -> Iterator[str]:
    if incident.status == "open":
        yield f"mesh ack {incident.name}       says that you have seen it"
    if not incident.live and not incident.moved_to:
        yield f"mesh reopen {incident.name}    says that it is not over"
    if incident.live:
        yield f"mesh resolve {incident.name} --as {'|'.join(life_cycle.BY_HAND)}"
        yield f"mesh status {incident.cause}    shows what its checks say now"
