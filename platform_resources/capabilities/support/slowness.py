"""Why did a refresh take longer than those before it: because of the data, of how a model is written, or of the machine (pure)?"""

from collections.abc import Callable, Iterator, Sequence
from math import inf, isinf
from statistics import median
from typing import TypeVar

from platform_resources.capabilities.support.shares import amount
from platform_resources.capabilities.work import ModelWork, RefreshWork, Scan
from platform_resources.spec.values.durations import length_text

# What grew less than this is as usual.
_MORE = 1.2
# A cause explains a growth where it grew at least by so much of it.
_EXPLAINS = 0.5
T = TypeVar("T")


def why_slow(now: RefreshWork, before: Sequence[RefreshWork]) -> str:
    """Which step and model took longer than usual, what the model had to do, and what that is due to; empty where nothing is known."""
    if not now.steps:
        return ""
    step = max(now.steps, key=lambda name: now.steps[name] - _usual(before, lambda run: run.steps.get(name)))
    parts = [_took(f"its {step}", now.steps[step], _usual(before, lambda run: run.steps.get(step)))]
    if step == "build" and now.models:
        model = max(now.models, key=lambda work: work.seconds - _usual(_same(before, work.model), lambda other: other.seconds))
        parts += _of_model(model, _same(before, model.model))
    return "; ".join(parts)


def _same(before: Sequence[RefreshWork], model: str) -> tuple[ModelWork, ...]:
    return tuple(work for run in before for work in run.models if work.model == model)


def _usual(before: Sequence[T], of: Callable[[T], float | None]) -> float:
    known = [value for run in before if (value := of(run)) is not None]
    return median(known) if known else 0.0


def _took(what: str, seconds: float, usual: float) -> str:
    return f"{what} took {length_text(seconds)}" + (f", usually {length_text(usual)}" if usual else "")


def _of_model(now: ModelWork, before: Sequence[ModelWork]) -> Iterator[str]:
    yield _took(f"in it model {now.model}", now.seconds, _usual(before, lambda run: run.seconds))
    read, kept = (_usual(before, of) for of in (lambda run: run.rows_read, lambda run: run.rows_kept))
    usually = f" (usually {read:,.0f} and {kept:,.0f})" if before else ""
    yield f"it read {amount(now.rows_read)} and kept {now.rows_kept:,}{usually}"
    if now.spilled:
        usual = _usual(before, lambda run: run.spilled)
        yield f"{now.spilled / 1e6:,.0f} MB were spilled to disk, usually {f'{usual / 1e6:,.0f} MB' if usual else 'none'}"
    if before:
        yield from _cause(now, before)


def _cause(now: ModelWork, before: Sequence[ModelWork]) -> Iterator[str]:
    """A lost filter before the data, since it makes a model read more, too; further columns after the data, which explain more."""
    slower, more_work = _growth(now, before, lambda run: run.seconds), _growth(now, before, lambda run: run.cpu_seconds)
    if slower < _MORE or isinf(slower) or isinf(more_work):
        return
    filters, columns = tuple(_lost_filters(now, before)), tuple(_more_columns(now, before))
    more_data = _growth(now, before, lambda run: run.rows_read) - 1 >= _EXPLAINS * (more_work - 1)
    if more_work - 1 < _EXPLAINS * (slower - 1):
        usual = length_text(_usual(before, lambda run: run.cpu_seconds))
        busy = f"the processor worked {length_text(now.cpu_seconds)} for it, usually {usual}"
        yield f"that is due to the machine: {busy}, so it waited for others, or for the disk"
    elif filters or (columns and not more_data):
        yield f"that is due to how the model is written: {' and '.join((*filters, *columns))}"
    elif more_data:
        yield "that is due to the data: there is so much more to read"
    elif _growth(now, before, lambda run: run.rows_between) - 1 >= _EXPLAINS * (more_work - 1):
        between = f"{now.rows_between:,} were passed on between its steps, usually {_usual(before, lambda run: run.rows_between):,.0f}"
        yield f"that is due to how its rows meet: {between}; look for a join that finds several rows"
    else:
        yield "neither the rows that it read nor its filters and columns tell why"


def _growth(now: ModelWork, before: Sequence[ModelWork], of: Callable[[ModelWork], float]) -> float:
    """How many times as much as usual; of what usually was nothing, any amount is infinitely more."""
    usual, amount_now = _usual(before, of), of(now)
    return amount_now / usual if usual > 0 else inf if amount_now > 0 else 1.0


def _both(now: ModelWork, before: Sequence[ModelWork]) -> Iterator[tuple[str, Scan, Scan]]:
    """What was read in the refresh before, too, and how; a table that is read several times counts once."""
    former = _by_name(before[-1].scans)
    return ((name, scan, former[name]) for name, scan in _by_name(now.scans).items() if name in former)


def _lost_filters(now: ModelWork, before: Sequence[ModelWork]) -> Iterator[str]:
    for name, scan, was in _both(now, before):
        if scan.filters < was.filters and scan.rows > was.rows:
            yield f"a filter on {name} no longer leaves out rows while they are read, and {scan.rows:,} are read of it, {was.rows:,} before"


def _more_columns(now: ModelWork, before: Sequence[ModelWork]) -> Iterator[str]:
    for name, scan, was in _both(now, before):
        if scan.columns > was.columns:
            yield f"{amount(scan.columns, 'column')} of {name} are read, {was.columns} before"


def _by_name(scans: Sequence[Scan]) -> dict[str, Scan]:
    by_name: dict[str, Scan] = {}
    for scan in scans:
        other = by_name.get(scan.name, Scan(scan.name, 0, 0, 0))
        rows, filters = other.rows + scan.rows, other.filters + scan.filters
        by_name[scan.name] = Scan(scan.name, rows, max(other.columns, scan.columns), filters)
    return by_name
