"""The command `mesh evaluate`, which judges all products now, and helpers that other commands share."""

import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from platform_resources.cli.specs import Json
from platform_resources.cli.terminal.console import CANNOT_RUN, FINE, Stop, counted, mesh_of, out, plain, print_json, words
from platform_resources.cli.terminal.memory import history, synced
from platform_resources.dbt.planning import read_plan
from platform_resources.plan.plan import MeshPlan
from platform_resources.repository.mesh_folders import state_folder

if TYPE_CHECKING:
    from platform_resources.incidents.life_cycle import IncidentEvent
    from platform_resources.orchestration.evaluation_job import EvaluationRun


def evaluate(context: typer.Context, as_json: Json = False) -> None:
    """Judge every product now, as the scheduled jobs do: indicators, incidents, and messages that are due."""
    root, plan = mesh_of(context)
    done, happened = evaluate_now(root, plan)
    if as_json:
        print_json({"domains": [asdict(evaluation) for evaluation in done], "events": [asdict(event) for event in happened]})
    else:
        print_happened(happened)
        words.print(f"{counted(len(done), 'domain')} evaluated" + ("" if happened else ": nothing new"), highlight=False)
    print_problems(done)
    undelivered = _deliver(root, plan)
    raise Stop(CANNOT_RUN if undelivered or any(evaluation.problems for evaluation in done) else FINE)


def _deliver(root: Path, plan: MeshPlan) -> int:
    """Send what is due on all channels; gives the number of messages that could not be sent, which are tried again."""
    from platform_resources.services.delivering import deliver_due

    now = datetime.now(UTC)
    with synced(root, now) as ledger:
        delivered = deliver_due(ledger, state_folder(root), plan, None, os.environ, now, f"mesh evaluate, process {os.getpid()}")
    if delivered.sent:
        words.print(f"{counted(delivered.sent, 'message')} sent", highlight=False)
    for text in delivered.texts:
        words.print(f"not sent yet: {text}", style="red", markup=False, highlight=False)
    return delivered.failed


def evaluate_now(
    root: Path, plan: MeshPlan, domains: Collection[str] | None = None, refreshed: Collection[str] = ()
) -> "tuple[Sequence[EvaluationRun], Sequence[IncidentEvent]]":
    """Evaluate each domain; returns how that went and the incident events. `plan` covers the whole mesh.

    What the `refreshed` products were published under is noted, which releases are held against.
    """
    from platform_resources.ledger.people.incident_store import events_since
    from platform_resources.orchestration.evaluation_job import run_evaluations
    from platform_resources.services.releases.release_checks import note_published_contracts

    begun = datetime.now(UTC)
    done = run_evaluations(root, plan, history(root), domains)
    now = datetime.now(UTC)
    with synced(root, now) as ledger:
        note_published_contracts(ledger, state_folder(root), plan, refreshed, now)
        with ledger.reading() as connection:
            return done, events_since(connection, begun)


def judged(root: Path, names: Collection[str]) -> "Sequence[IncidentEvent]":
    """The incident events caused by the refresh of these products."""
    from platform_resources.capabilities.registry import installed_registry
    from platform_resources.services.control_ports.registering import register
    from platform_resources.services.judging import judge_refreshed

    if not names:
        return ()
    whole, _ = read_plan(root)
    now = datetime.now(UTC)
    with synced(root, now) as ledger:
        events = judge_refreshed(ledger, state_folder(root), whole, names, installed_registry(), now)
        registered = register(ledger, root, state_folder(root), whole, [p for p in whole.products if p.name in names], now)
    for text in registered.failed:
        words.print(f"{text}; the next evaluation tries it again", style="yellow", markup=False, highlight=False)
    return events


def print_happened(events: "Iterable[IncidentEvent]") -> None:
    """Print incident events, one a line."""
    for event in events:
        out.print(f"{plain(event.incident)} {event.kind} {plain(event.note)}".strip(), soft_wrap=True, highlight=False)


def print_problems(done: "Iterable[EvaluationRun]") -> None:
    """Print why domains could not be evaluated."""
    for evaluation in done:
        for problem in evaluation.problems:
            words.print(f"{evaluation.domain} could not be evaluated: {problem}", style="red", markup=False, highlight=False)
