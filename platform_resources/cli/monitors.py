"""Commands about monitors as code: what the specifications would change of the deployed ones, and recording that."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from statistics import median
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from platform_resources.capabilities.registry import installed_registry
from platform_resources.cli.specs import Json
from platform_resources.cli.terminal.console import (
    CANNOT_RUN,
    FINE,
    MISSED,
    SPEC_INVALID,
    Stop,
    cell,
    out,
    print_json,
    print_problems,
    stop,
    words,
    you,
)
from platform_resources.cli.terminal.memory import opened
from platform_resources.dbt.planning import read_plan
from platform_resources.monitors.monitor_costs import MonitorCost, Size, Surroundings, profiled_relations
from platform_resources.monitors.monitor_plan import Change, Monitor, ProductChanges, monitors, product_changes
from platform_resources.monitors.monitor_text import SYMBOLS, changes_text, count_text
from platform_resources.plan.plan import MeshPlan, ProductPlan, RejectedProduct
from platform_resources.repository.mesh_repository import mesh_root
from platform_resources.spec.problems import Problem, did_you_mean, errors, known_text

if TYPE_CHECKING:
    from platform_resources.ledger.database import Ledger
    from platform_resources.ledger.people.deployed_monitors import ByProduct

app = typer.Typer(help="Monitors as code: plan and apply every check of the products.", no_args_is_help=True)
REFRESHES = 20
STYLES = {"+": "green", "~": "yellow", "↻": "yellow", "→": "yellow", "-": "red"}
Names = Annotated[
    list[str] | None,
    typer.Argument(help="Only these products and domains; all if left out.", metavar="[PRODUCT|DOMAIN]...", show_default=False),
]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the specifications say now, of which products, and how large their relations are."""

    plan: MeshPlan
    names: tuple[str, ...]
    problems: tuple[Problem, ...]
    sizes: Mapping[str, Mapping[str, Size]]

    def decide(self, deployed: "ByProduct") -> tuple[ProductChanges, ...]:
        """The changes of each product, by domain and name: planned ones, and those that are gone."""
        planned = [self._planned(product, deployed) for product in self.plan.products if self._wants(product.name, product.domain)]
        known = {product.name for product in _products(self.plan)}
        gone = {name: each[0].domain for name, each in deployed.items() if name not in known and self._wants(name, each[0].domain)}
        removed = [product_changes(name, domain, _monitors(deployed, name), (), Surroundings({})) for name, domain in gone.items()]
        return tuple(sorted((*planned, *removed), key=lambda each: (each.domain, each.product)))

    def _wants(self, product: str, domain: str) -> bool:
        return not self.names or product in self.names or domain in self.names

    def _planned(self, product: ProductPlan, deployed: "ByProduct") -> ProductChanges:
        wanted = monitors(product, installed_registry().dimensions())
        surroundings = Surroundings(self.sizes.get(product.name, {}), profiled_relations(product))
        return product_changes(product.name, product.domain, _monitors(deployed, product.name), wanted, surroundings)


def _products(plan: MeshPlan) -> tuple[ProductPlan | RejectedProduct, ...]:
    return (*plan.products, *plan.rejected)


def _monitors(deployed: "ByProduct", product: str) -> tuple[Monitor, ...]:
    return tuple(each.monitor for each in deployed.get(product, ()))


@app.command()
def plan(
    context: typer.Context,
    names: Names = None,
    as_json: Json = False,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 1 if anything would change.")] = False,
) -> None:
    """Show what `mesh monitors apply` would create, change, retrain, rename and remove, and what that costs. It changes nothing."""
    from platform_resources.ledger.people.deployed_monitors import deployed

    with _asked(context, names or ()) as (asked, ledger):
        with ledger.reading() as connection:
            found = asked.decide(deployed(connection))
        found = _timed(ledger, found)
    _print(found, asked, as_json, {})
    if asked.problems:
        raise Stop(SPEC_INVALID)
    raise Stop(MISSED if exit_code and any(each.changes for each in found) else FINE)


@app.command()
def apply(
    context: typer.Context,
    names: Names = None,
    by: Annotated[str | None, typer.Option("--by", help="Who does it; the name of the user of this computer if left out.")] = None,
    as_json: Json = False,
) -> None:
    """Record that the monitors are meant as the specifications say now. Refused, as a whole, while these have problems."""
    from platform_resources.ledger.people.deployed_monitors import apply as record

    who, now = by or you("--by"), datetime.now(UTC)
    with _asked(context, names or ()) as (asked, ledger):
        if asked.problems:
            stop("nothing is applied: the specifications have problems (above)", SPEC_INVALID)
        found = _timed(ledger, record(ledger, asked.decide, now, who))
    _print(found, asked, as_json, {"applied_by": who, "applied_at": now.isoformat()})
    if not as_json:
        words.print(f"applied by {who}: {count_text(found)}", style="green", markup=False, highlight=False)
    raise Stop(FINE)


@contextmanager
def _asked(context: typer.Context, names: Sequence[str]) -> "Iterator[tuple[_Asked, Ledger]]":
    """What is asked of whom; problems are shown. The command ends at a name that nothing has."""
    from platform_resources.ledger.people.deployed_monitors import deployed
    from platform_resources.ledger.queries.relation_sizes import relation_sizes

    root = mesh_root(context.obj)
    whole, found = read_plan(root)
    with opened(root) as ledger:
        with ledger.reading() as connection:
            _refuse_unknown(names, whole, deployed(connection))
            sizes = relation_sizes(connection, whole.products, datetime.now(UTC))
        problems = tuple(problem for problem in errors(found) if not names or set(names) & set(problem.file.split("/")))
        print_problems(problems)
        yield _Asked(whole, tuple(names), problems, sizes), ledger


def _refuse_unknown(names: Iterable[str], whole: MeshPlan, deployed: "ByProduct") -> None:
    known = {name for product in _products(whole) for name in (product.name, product.domain)}
    known |= {name for product, each in deployed.items() for name in (product, each[0].domain)} | {domain.name for domain in whole.domains}
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known)
            stop(f'no product or domain "{name}"; known: {known_text(known)}' + (f"\n{hint}" if hint else ""), CANNOT_RUN)


def _timed(ledger: "Ledger", found: Iterable[ProductChanges]) -> tuple[ProductChanges, ...]:
    """With how long the refreshes take of the products that change."""
    from platform_resources.ledger.queries.objective_history import refreshes

    now = datetime.now(UTC)
    with ledger.reading() as connection:
        lasted = {each.product: refreshes(connection, each.product, now, REFRESHES).seconds for each in found if each.changes}
    return tuple(replace(each, seconds=median(lasted[each.product])) if lasted.get(each.product) else each for each in found)


def _print(found: Collection[ProductChanges], asked: _Asked, as_json: bool, applied: Mapping[str, str]) -> None:
    if as_json:
        print_json({**_data(found), **applied, "problems": [str(problem) for problem in asked.problems]})
        return
    for line in changes_text(tuple(found)).splitlines():
        symbol = line[2:3] if line.startswith("  ") and not line.startswith("   ") else ""
        out.print(Text(cell(line).plain, style=STYLES.get(symbol, "")), soft_wrap=True, highlight=False)


def _data(found: Collection[ProductChanges]) -> dict[str, Any]:
    return {
        "products": [_product_data(each) for each in found],
        "counts": {kind: sum(each.count(kind) for each in found) for kind in SYMBOLS},
        "unchanged": sum(each.unchanged for each in found),
        "cost": asdict(sum((each.cost for each in found), MonitorCost())),
    }


def _product_data(product: ProductChanges) -> dict[str, Any]:
    return {
        "product": product.product,
        "domain": product.domain,
        "changes": [_change_data(change) for change in product.changes],
        "unchanged": product.unchanged,
        "cost": asdict(product.cost),
        "refresh_seconds": product.seconds,
    }


def _change_data(change: Change) -> dict[str, Any]:
    return {
        "change": change.kind,
        "monitor": change.monitor.name,
        "former": change.former.name if change.former is not None else None,
        "fingerprint": change.monitor.fingerprint,
        "definition": change.monitor.definition,
        "fields": [asdict(each) for each in change.fields],
        "cost": asdict(change.cost),
    }
