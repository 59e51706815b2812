"""The rows of a product's promises with their evidence: last value, and performance over the window."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from markupsafe import Markup

from platform_resources.ledger.queries.standing import Standing
from platform_resources.marketplace.display import charts
from platform_resources.marketplace.display.phrases import VERDICTS, Look, PageTimes, count, got, got_of, measured, number, promised, why
from platform_resources.plan.check_plans import CheckPlan, undescribed
from platform_resources.plan.plan import ProductPlan
from platform_resources.promises.grades import CheckState, ProductHealth
from platform_resources.services.showing.seen_mesh import WITHHELD

DAY = timedelta(days=1)
Plans = Mapping[tuple[tuple[str, ...], str], CheckPlan]
_WORST = {"missed": 0, "unknown": 1, "met": 2}


@dataclass(frozen=True, slots=True)
class PromiseRow:
    """One promise. `proof` is a chart, empty if a number suffices; `caption` describes the window."""

    look: Look
    check: CheckState
    text: str
    stops: bool
    proof: Markup
    caption: str
    got: str
    got_of: str
    columns: tuple[str, ...]
    place: str


def promise_rows(product: ProductPlan, health: ProductHealth, standings: Sequence[Standing], times: PageTimes) -> tuple[PromiseRow, ...]:
    """The rows, missed first, then those with a window, then the rest."""
    plans = {(objective.check.key, objective.check.name): objective.check for objective in product.objectives}
    rows = [(_row(check, plans, standing, times), standing) for check in health.objectives for standing in [_watching(check, standings)]]
    ordered = sorted(rows, key=lambda row: (_WORST[row[0].check.verdict], row[1] is None, _kept(row[1])))
    return tuple(row for row, _ in ordered)


def _watching(check: CheckState, standings: Sequence[Standing]) -> Standing | None:
    """The indicator that watches this promise over a window, if any does."""
    own = (check.key, check.name)
    return next((standing for standing in standings if (standing.indicator.objective.key, standing.indicator.objective.name) == own), None)


def _kept(standing: Standing | None) -> bool:
    return standing is None or standing.attainment.state != "missed"


def _row(check: CheckState, plans: Plans, standing: Standing | None, times: PageTimes) -> PromiseRow:
    plan = plans.get((check.key, check.name))
    ran = standing is not None and any(one.state in ("good", "bad", "unknown") for one in standing.slices)
    shown = charts.cells(standing.slices, times) if standing is not None and ran else ()
    return PromiseRow(
        look=VERDICTS[check.verdict],
        check=check,
        text=_text(plan, check),
        stops=check.gate,
        proof=charts.strip(shown, f"{check.title}: {charts.strip_label(shown)}") if shown else _bullet(check),
        caption=window_text(standing, times) if standing is not None else "",
        got=got(check) or ("not shown to you" if check.reason == WITHHELD else "not yet"),
        got_of=got_of(check) if got(check) else _unmeasured(check),
        columns=tuple(dict.fromkeys(column.rpartition(".")[2] for column in check.columns if "." in column)),
        place=f"{plan.place.file}:{plan.place.line}" if plan is not None else "",
    )


def _text(plan: CheckPlan | None, check: CheckState) -> str:
    return plan.description if plan is not None and plan.description != undescribed(check.dimension) else ""


def _unmeasured(check: CheckState) -> str:
    """What is to be known instead of a number."""
    return "still learning what is usual" if check.learning else promised(check) or "measured"


def _bullet(check: CheckState) -> Markup:
    """Drawn where the number and the promise can be compared by eye: not for none of very many rows, nor for what was not measured."""
    limit = check.at_least if check.at_least is not None else check.at_most
    if not isinstance(check.value, int | float) or not limit or limit < 0 or check.value < 0 or check.comparison == "between":
        return Markup("")
    most = 100.0 if check.unit == "%" else max(check.value, limit) * 1.2
    tick = f"{number(limit) if check.unit in ('', 'rows') else measured(limit, check.unit)} promised"
    return charts.bullet(check.value, limit, most, check.verdict == "met", f"{check.title}: {why(check)}", tick)


def window_text(standing: Standing, times: PageTimes) -> str:
    """`Met on 17 of 18 counted days, 80 % promised. 2 more bad days may happen. Counted next at 30 Nov 00:00.`"""
    spec, reached = standing.indicator.spec, standing.attainment
    unit = _unit(spec.interval)
    following = f"Counted next at {times.moment(reached.next_deadline)}." if reached.next_deadline is not None else ""
    target = f", {number(reached.target)} % promised" if reached.target is not None else ""
    if reached.percent is None:
        first = f"The first {unit} is counted at {times.moment(reached.next_deadline)}." if reached.next_deadline is not None else ""
        return f"No history yet{target}. {first}".strip()
    counted = reached.good + reached.bad
    kept = f"Met on {reached.good} of {count(counted, f'counted {unit}')}{target}."
    if spec.method != "timeslices":
        kept = f"{math.floor(reached.percent * 100) / 100:g} % kept over {count(counted, f'counted {unit}')}{target}."
    return " ".join(filter(None, (kept, budget_text(standing), _burning(standing), following)))


def _unit(interval: timedelta) -> str:
    if interval == DAY:
        return "day"
    if interval == timedelta(hours=1):
        return "hour"
    return "week" if interval == 7 * DAY else "interval"


def budget_text(standing: Standing) -> str:
    """The remaining error budget: `2 more bad days may happen`, `The budget is used up`."""
    budget, unit = standing.attainment.budget, _unit(standing.indicator.spec.interval)
    if budget is None:
        return ""
    if standing.indicator.spec.method != "timeslices":
        left = max(0.0, 1 - budget.consumed)
        return f"{math.floor(left * 100)} % of the budget is left." if left else "The budget is used up."
    left_slices = math.floor(budget.left + 1e-9)
    if budget.left < -1e-9:
        return "The budget is used up."
    return f"{count(left_slices, f'more bad {unit}')} may happen." if left_slices else f"The next bad {unit} misses it."


def _burning(standing: Standing) -> str:
    rates = [alert.long_rate for alert in standing.burn_alerts if alert.fires and alert.long_rate is not None]
    return f"It is used up {max(rates):.3g} times too fast." if rates else ""


def trouble_lines(health: ProductHealth, product: ProductPlan) -> list[tuple[str, str, str]]:
    """The two most urgent things that are not as promised: the fault, both numbers, and the owner's note."""
    plans = {(objective.check.key, objective.check.name): objective.check for objective in product.objectives}
    wrong = [check for check in health.checks if check.verdict == "missed" or (check.verdict == "unknown" and not check.learning)]
    ordered = sorted(wrong, key=lambda check: (check.urgency, check.verdict != "missed"))
    return [(check.fault or check.title, why(check), _text(plans.get((check.key, check.name)), check)) for check in ordered[:2]]


def short_trouble(health: ProductHealth, product: ProductPlan) -> str:
    """The most urgent fault in a short sentence; also a sentence if all is fine."""
    lines = trouble_lines(health, product)
    if health.problem:
        return "Its published versions cannot be read."
    if health.status == "unpublished":
        return "Nothing was published yet."
    if not lines:
        return "All promises are met." if health.status == "healthy" and health.objectives else health.reason.capitalize()
    title, state, _ = lines[0]
    if health.status == "healthy":
        return f"A target of the business is missed: {title}: {state}. The data is as promised."
    more = sum(check.verdict == "missed" for check in health.checks) - 1
    also = f" And {count(more, 'more promise')} {'is' if more == 1 else 'are'} missed." if more > 0 else ""
    return f"{title}: {state}.{also}"
