"""The commands `mesh status` and `mesh metrics`: health and trust of products, for people and for Prometheus."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from platform_resources.cli.specs import Json
from platform_resources.cli.terminal.console import FINE, MISSED, SPEC_INVALID, Stop, mesh_of, print_json, product_of
from platform_resources.cli.terminal.memory import Sync, shown
from platform_resources.cli.terminal.status_tables import print_health, print_product, print_trust
from platform_resources.plan.plan import MeshPlan, ProductPlan
from platform_resources.repository.mesh_folders import dagster_home, mesh_root, state_folder
from platform_resources.repository.mesh_repository import names_behind
from platform_resources.spec.values.clocks import Clock

if TYPE_CHECKING:
    from platform_resources.promises.grades import ProductHealth
    from platform_resources.services.trust import Trust


@dataclass(frozen=True, slots=True)
class Overview:
    """Health and trust of products, and the clock by which each product's times are shown."""

    health: "tuple[ProductHealth, ...]"
    trust: "Mapping[str, Trust]"
    clocks: Mapping[str, Clock]


def status(
    context: typer.Context,
    product: Annotated[str | None, typer.Argument(help="Show every promise of this product.")] = None,
    sync: Sync = False,
    as_json: Json = False,
) -> None:
    """Show the status of products: newest version, promises met, missed or unknown, and how far they can be trusted."""
    # How much of the upstream is watched is counted in its plan: without it, another number than of the whole mesh came out.
    root, plan = mesh_of(context, names_behind(mesh_root(context.obj), product) if product else None, upstream=True)
    chosen = [product_of(plan, product)] if product else list(plan.products)
    seen = overview(root, plan, chosen, datetime.now(UTC), sync, as_json)
    if as_json:
        print_json([_data(health, seen.trust[health.product]) for health in seen.health])
    else:
        _print(seen, plan, product)
    raise Stop(_exit_code(seen, plan, product))


def metrics(
    context: typer.Context,
    to: Annotated[Path | None, typer.Option("--out", help="Write them to this file, in one step, instead of printing them.")] = None,
    sync: Sync = False,
) -> None:
    """Print metrics of all products for Prometheus: status, verdicts, budgets, incidents, waiting messages."""
    from platform_resources.ledger.people.outbox import open_and_recent
    from platform_resources.publications.whole_files import replace_file
    from platform_resources.services.showing.mesh_overview import mesh_overview
    from platform_resources.services.showing.prometheus_metrics import OUTBOX_OVER, metrics_text

    root, plan = mesh_of(context)
    state, now = state_folder(root), datetime.now(UTC)
    with shown(root, now, sync, quiet=True) as ledger:
        view = mesh_overview(ledger, state, dagster_home(state), plan, now)
        with ledger.reading() as connection:
            text = metrics_text(view, open_and_recent(connection, now - OUTBOX_OVER))
    if to is None:
        typer.echo(text, nl=False)
    else:
        part = to.with_name(f"{to.name}.part")
        part.write_text(text, encoding="utf-8")
        replace_file(part, to)


def overview(
    root: Path, plan: MeshPlan, products: Sequence[ProductPlan], now: datetime, sync: bool = False, quiet: bool = False
) -> Overview:
    """Health and trust of these products; `plan` covers the whole mesh."""
    from platform_resources.services.product_status import looked_at

    clocks = {product.name: Clock(product.zone, now) for product in products}
    with shown(root, now, sync, quiet, replace(plan, products=tuple(products)).usual_zone) as ledger:
        return Overview(*looked_at(ledger, state_folder(root), plan, products, now), clocks)


def _print(seen: Overview, plan: MeshPlan, product: str | None) -> None:
    if product is None:
        print_health(seen.health, seen.trust, seen.clocks, plan.rejected)
    else:
        print_product(seen.health[0], seen.trust[product], seen.clocks[product])
        print_trust(seen.trust[product], seen.clocks[product])


def _exit_code(seen: Overview, plan: MeshPlan, product: str | None) -> int:
    from platform_resources.promises.grades import IDLE

    if plan.rejected and product is None:
        return SPEC_INVALID
    return MISSED if any(health.status not in ("healthy", *IDLE) for health in seen.health) else FINE


def _data(health: "ProductHealth", trust: "Trust") -> dict[str, Any]:
    from platform_resources.services.trust import trust_data

    return {**asdict(health), **trust_data(trust)}
