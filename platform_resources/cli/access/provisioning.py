"""The commands `mesh access plan` and `mesh access apply`: compare readers' access with what it should be."""

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from platform_resources.cli.specs import Json
from platform_resources.cli.terminal.console import CANNOT_RUN, MISSED, Stop, counted, mesh_of, print_json, print_table, stop, words
from platform_resources.repository.mesh_folders import state_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from platform_resources.access.grants import KnownGrants
    from platform_resources.access.role_folders import Act
    from platform_resources.plan.plan import MeshPlan, ProductPlan
    from platform_resources.services.access.access_plan import AccessPlan

DONE: "Mapping[Act, str]" = {"revoke": "revoked", "close": "closed", "change": "changed", "create": "created", "release": "released"}


def plan(
    context: typer.Context,
    as_json: Json = False,
    out_file: Annotated[Path | None, typer.Option("--out", help="Also write it into this file, for a review.", dir_okay=False)] = None,
) -> None:
    """List differences between the access that readers have and should have. Ends with 1 if there are any."""
    from platform_resources.services.access.access_plan import access_plan

    root, mesh = mesh_of(context)
    state = state_folder(root)
    plan = access_plan(state, mesh, _grants(state), datetime.now(UTC))
    data = {"changes": [asdict(change) for change in plan.changes], "problems": list(plan.problems)}
    if out_file is not None:
        out_file.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if as_json:
        print_json(data)
    else:
        _show(plan)
    if plan.changes or plan.problems:
        raise Stop(MISSED)


def apply(context: typer.Context) -> None:
    """Apply these differences, revocations first. A second run changes nothing; published data stay."""
    from platform_resources.services.access.access_plan import access_plan, apply_access

    root, mesh = mesh_of(context)
    state = state_folder(root)
    known, now = _grants(state), datetime.now(UTC)
    plan = access_plan(state, mesh, known, now)
    problems = apply_access(state, mesh, known, now)
    left = access_plan(state, mesh, known, now)
    done = [change for change in plan.changes if change not in left.changes]
    for change in done:
        words.print(f"{DONE[change.act]} {change.place}: {change.why}", markup=False, highlight=False, soft_wrap=True)
    _show(replace(plan, changes=()), anything=bool(plan.changes))
    for text in (*problems, *(f"{change.place}: still to do: {change.why}" for change in left.changes)):
        words.print(text, style="red", markup=False, highlight=False)
    if problems or left.changes:
        raise Stop(MISSED)
    if done:
        words.print(f"done: {counted(len(done), 'change')}; readers have what agreements and grants give them", highlight=False)


def show_tenancy(root: Path, mesh: "MeshPlan", product: "ProductPlan", as_json: bool) -> None:
    """Print the compute of the product's domain, its schemas, and its roles with their current holders and why."""
    from platform_resources.plan.tenancy import product_tenancy
    from platform_resources.spec.values.durations import duration_text

    own = product_tenancy(product, _grants(state_folder(root)), datetime.now(UTC))
    compute = next(domain.compute for domain in mesh.domains if domain.name == product.domain)
    if as_json:
        roles = [{"role": r.name, "readers": r.readers, "data_sets": r.data_sets, "why": r.why} for r in own.readers]
        team = {"members": own.team, "domain": own.domain_access}
        data = {"product": own.name, "domain": own.domain, "schemas": own.schemas, "team": team, "roles": roles}
        print_json({**data, "compute": compute.model_dump(mode="json"), "filtered": own.filtered})
        return
    credits = f"{compute.monthly_credits} credits a month" if compute.monthly_credits is not None else "no limit"
    longest = f"statements up to {duration_text(compute.statement_timeout)}" if compute.statement_timeout is not None else ""
    words.print(
        f"{own.name}: schemas {', '.join(own.schemas)}; compute of domain {own.domain}: {compute.warehouse_size}, stops after "
        f"{', '.join(filter(None, (duration_text(compute.auto_suspend), credits, longest)))}",
        markup=False,
        highlight=False,
    )
    everybody = [*own.team, *([f"domain {own.domain}"] if own.domain_access else [])]
    readers = [(reader.name, ", ".join(reader.readers) or "everybody", ", ".join(reader.data_sets), reader.why) for reader in own.readers]
    print_table(("role", "who", "reads", "why"), [("(team)", ", ".join(everybody), "everything", "it is its own"), *readers])


def _grants(state: Path) -> "KnownGrants":
    from platform_resources.services.access.reader_views import known_grants

    known = known_grants(state)
    if known.unknown:
        stop(f"what is granted to whom is not known, so nothing is compared: {known.unknown}", CANNOT_RUN)
    return known


def _show(plan: "AccessPlan", anything: bool = False) -> None:
    """What differs and what could not be compared; that nothing does, unless there was `anything`."""
    if plan.changes:
        print_table(("do", "where", "why"), [(change.act, change.place, change.why) for change in plan.changes])
    elif not (plan.problems or anything):
        words.print("nothing differs: readers have what agreements and grants give them", highlight=False)
    for text in plan.problems:
        words.print(text, style="yellow", markup=False, highlight=False)
