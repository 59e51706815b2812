"""Compare the monitors that products want with those that are deployed."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Literal

from platform_resources.capabilities.protocols import Dimension
from platform_resources.monitors.monitor_costs import MonitorCost, Surroundings, Work, cost, dbt_test_work, objective_work
from platform_resources.plan.check_plans import CheckPlan, IndicatorPlan, ObjectivePlan
from platform_resources.plan.from_products.written_tests import test_name, written_test
from platform_resources.plan.model_plans import ModelPlan
from platform_resources.plan.plan import ProductPlan
from platform_resources.plan.plan_text import plain
from platform_resources.plan.port_plans import InputPlan

ChangeKind = Literal["create", "change", "retrain", "rename", "remove"]
SETTINGS, LEARNED = "settings.", "settings.learned"
# What a monitor is about; the rest is how it is called and how loud it is.
_ESSENTIAL = ("kind", "asset", "dimension", "data_set")


@dataclass(frozen=True, slots=True)
class Monitor:
    """One check as it is meant: its fields, flat, and what measuring it runs. `name` is unique in its product."""

    product: str
    name: str
    definition: Mapping[str, Any]
    work: tuple[Work, ...] = ()

    @property
    def fingerprint(self) -> str:
        """Changes exactly when the definition does, or what is measured."""
        meant = [self.product, self.name, self.definition, [_measured(work) for work in self.work]]
        return hashlib.sha256(json.dumps(meant, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def essence(self) -> str:
        """What two monitors have in common if one is the other under a new name."""
        meant = {name: value for name, value in self.definition.items() if name in _ESSENTIAL or name.startswith(SETTINGS)}
        return json.dumps(meant, sort_keys=True)


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field before and after; None where there is no such field."""

    field: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one monitor; `former` is what is deployed, None for a new one. `cost` is added to those of the changes before it."""

    kind: ChangeKind
    monitor: Monitor
    former: Monitor | None
    fields: tuple[FieldChange, ...]
    cost: MonitorCost


@dataclass(frozen=True, slots=True)
class ProductChanges:
    """What becomes of one product's monitors, and how many stay. `seconds` is how long its refreshes take, if that is known."""

    product: str
    domain: str
    changes: tuple[Change, ...]
    unchanged: int
    seconds: float | None = None

    @property
    def cost(self) -> MonitorCost:
        """The cost of all changes of this product together."""
        return sum((change.cost for change in self.changes), MonitorCost())

    def count(self, kind: ChangeKind) -> int:
        """How many changes are of this kind."""
        return sum(change.kind == kind for change in self.changes)


def monitors(product: ProductPlan, dimensions: Mapping[str, Dimension]) -> tuple[Monitor, ...]:
    """Every monitor that the product wants, by name: objectives, indicators, checks of inputs, dbt tests."""
    wanted = (
        *(_objective(product, objective, dimensions) for objective in product.objectives),
        *(_indicator(product, indicator) for indicator in product.indicators),
        *(_input(product, port, check) for port in product.inputs for check in port.checks),
        *(_dbt_test(product, model, test) for model in product.models for test in model.tests),
    )
    return tuple(sorted(wanted, key=lambda monitor: monitor.name))


def changes(deployed: Iterable[Monitor], wanted: Iterable[Monitor], surroundings: Surroundings) -> tuple[Change, ...]:
    """What turns one product's deployed monitors into the wanted ones, by name; nothing if they are the same."""
    old, new = ({monitor.name: monitor for monitor in monitors} for monitors in (deployed, wanted))
    renamed = _renamed(old, new)
    taken = {former.name for former in renamed.values()}
    pairs = [(new.get(name), old.get(name)) for name in sorted(old.keys() | new.keys()) if name not in renamed and name not in taken]
    pairs += [(new[name], former) for name, former in renamed.items()]
    differing = [(now, before) for now, before in pairs if now is None or before is None or now.fingerprint != before.fingerprint]
    return tuple(_priced(differing, old, surroundings))


def product_changes(
    product: str,
    domain: str,
    deployed: Sequence[Monitor],
    wanted: Sequence[Monitor],
    surroundings: Surroundings,
    seconds: float | None = None,
) -> ProductChanges:
    """What becomes of one product's monitors. A product that is gone wants none."""
    made = changes(deployed, wanted, surroundings)
    return ProductChanges(product, domain, made, len(wanted) - sum(change.kind != "remove" for change in made), seconds)


def _renamed(old: Mapping[str, Monitor], new: Mapping[str, Monitor]) -> dict[str, Monitor]:
    """New monitors that are gone ones under another name, with those. Of several that are alike the first becomes the first."""
    gone = sorted((old[name] for name in old.keys() - new.keys()), key=lambda monitor: monitor.name)
    renamed: dict[str, Monitor] = {}
    for name in sorted(new.keys() - old.keys()):
        alike = next((former for former in gone if _is_renamable(former) and former.essence == new[name].essence), None)
        if alike is not None:
            renamed[name] = alike
            gone.remove(alike)
    return renamed


def _is_renamable(monitor: Monitor) -> bool:
    """The checks of inputs have names of the platform's own; the name tells what they are."""
    return monitor.definition.get("kind") != "input"


def _priced(
    pairs: Sequence[tuple[Monitor | None, Monitor | None]], old: Mapping[str, Monitor], surroundings: Surroundings
) -> Iterator[Change]:
    """One after the other, so that the costs add up to the difference in all: who is first pays for a scan, the others share it."""
    work = {name: monitor.work for name, monitor in old.items()}
    before = _cost(work, surroundings)
    for now, former in sorted(pairs, key=_name):
        if former is not None:
            del work[former.name]
        if now is not None:
            work[now.name] = now.work
        after = _cost(work, surroundings)
        yield _change(now, former, after - before)
        before = after


def _name(pair: tuple[Monitor | None, Monitor | None]) -> str:
    return next(monitor.name for monitor in pair if monitor is not None)


def _cost(work: Mapping[str, tuple[Work, ...]], surroundings: Surroundings) -> MonitorCost:
    return cost((query for own in work.values() for query in own), surroundings)


def _change(now: Monitor | None, former: Monitor | None, added: MonitorCost) -> Change:
    if now is None and former is not None:
        return Change("remove", former, former, (), added)
    if now is None:
        raise ValueError("a change has a monitor before or after")
    if former is None:
        return Change("create", now, None, tuple(FieldChange(name, None, value) for name, value in now.definition.items()), added)
    differing = tuple(_field_changes(former, now))
    kind: ChangeKind = "rename" if now.name != former.name else "retrain" if _learns_anew(former, now, differing) else "change"
    return Change(kind, now, former, differing, added)


def _field_changes(former: Monitor, now: Monitor) -> Iterator[FieldChange]:
    """What is measured is told only where no field explains that it differs."""
    names = dict.fromkeys((*now.definition, *former.definition))
    compared = [FieldChange(name, former.definition.get(name), now.definition.get(name)) for name in names]
    differing = [change for change in compared if change.old != change.new]
    yield from differing
    if not any(change.field in _ESSENTIAL or change.field.startswith(SETTINGS) for change in differing):
        own, others = ([_measured(work) for work in monitor.work] for monitor in (former, now))
        yield from (FieldChange("measured", *pair) for pair in zip_longest(*_without_common(own, others)))


def _without_common(own: Sequence[str], others: Sequence[str]) -> tuple[list[str], list[str]]:
    return [measure for measure in own if measure not in others], [measure for measure in others if measure not in own]


def _measured(work: Work) -> str:
    return f"{work.expression} of {work.query}" if work.expression else f"{work.kind} {work.query}"


def _learns_anew(former: Monitor, now: Monitor, differing: Sequence[FieldChange]) -> bool:
    """A learned threshold is learned anew when how it learns, or the number that it learns from, is no longer the same."""
    learns = any(_is_learning(name) for name in now.definition)
    shaped = any(_is_learning(field.field) or field.field in _ESSENTIAL for field in differing)
    measured = [_measured(work) for work in former.work] != [_measured(work) for work in now.work]
    return learns and (shaped or measured)


def _is_learning(field: str) -> bool:
    return field == LEARNED or field.startswith(f"{LEARNED}.")


def _objective(product: ProductPlan, objective: ObjectivePlan, dimensions: Mapping[str, Dimension]) -> Monitor:
    subject = {"dimension": objective.dimension, "data_set": objective.data_set, "ports": objective.ports}
    return _monitor(product, objective.check, subject, objective.settings, objective_work(product, objective, dimensions))


def _indicator(product: ProductPlan, indicator: IndicatorPlan) -> Monitor:
    subject = {"dimension": indicator.dimension, "data_set": indicator.data_set, "ports": indicator.ports}
    settings = {name: value for name, value in plain(indicator.spec).items() if name != "description"}
    return _monitor(product, indicator.check, subject, settings)


def _input(product: ProductPlan, port: InputPlan, check: CheckPlan) -> Monitor:
    upstream = port.upstream
    own = {"columns": plain(port.columns)}
    promised = {"upstream": f"{upstream.product}.{upstream.port}", "version": upstream.version} if upstream is not None else own
    by_name = {"fresh": {"max_staleness": port.max_staleness}, "contract": promised}
    return _monitor(product, check, {}, by_name.get(check.name, {}))


def _dbt_test(product: ProductPlan, model: ModelPlan, check: CheckPlan) -> Monitor:
    subject = {"data_set": model.data_set}
    return _monitor(product, check, subject, {**_column_test(model, check), "sql": check.digest}, dbt_test_work(model, check.name))


def _column_test(model: ModelPlan, check: CheckPlan) -> dict[str, Any]:
    """What the specification says of the test, if it stands at a column there."""
    for column in model.columns:
        for test in column.tests:
            written = written_test(test)
            if not check.digest and test_name(written, model.name, column.name) == check.name:
                return {"test": written.kind, "column": column.name, **written.arguments, **written.config}
    return {}


def _monitor(product: ProductPlan, check: CheckPlan, subject: Mapping[str, Any], settings: Any, work: tuple[Work, ...] = ()) -> Monitor:
    loud = {"title": check.title, "description": check.description, "severity": check.severity, "gate": check.blocking}
    loud |= {"business_target": True} if check.target else {}
    asset = "/".join(check.key[1:])
    definition = {"kind": check.kind, "asset": asset, **plain(subject), **_flat(SETTINGS, plain(settings)), **loud}
    kept = {name: value for name, value in definition.items() if value not in ("", None, [])}
    return Monitor(product.name, f"{asset}: {check.name}", kept, work)


def _flat(prefix: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Groups of fields as fields with points in their names; an empty group is a field too."""
    fields: dict[str, Any] = {}
    for name, value in settings.items():
        nested = isinstance(value, Mapping) and bool(value)
        fields |= _flat(f"{prefix}{name}.", value) if nested else {f"{prefix}{name}": value}
    return fields
