"""Keep what the last refreshes of a product did, beside its data: how long each step took, and what its models read and kept."""

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from platform_resources.capabilities.registry import traits_of
from platform_resources.capabilities.work import ModelWork, RefreshWork, Scan
from platform_resources.dbt.project_slices import replace_file
from platform_resources.plan import conventions
from platform_resources.plan.conventions import Placed
from platform_resources.plan.plan import ProductPlan
from platform_resources.refresh.stages import BegunRefresh
from platform_resources.settings import QUERY_TAG

# As many as are needed to know what is usual.
_KEPT = 30


def wants_work(product: ProductPlan) -> bool:
    """Whether a promise of the product is about how it is refreshed. A profile costs up to four percent of a statement's time."""
    return any(traits_of(objective.dimension).failure == "delivery" for objective in product.objectives)


def kept_work(state: Path, product: Placed) -> tuple[RefreshWork, ...]:
    """The last refreshes, oldest first; nothing of a product that nobody wants to know it of, or never refreshed."""
    try:
        runs = json.loads((state / conventions.work_file(product.domain, product.name)).read_text(encoding="utf-8"))
        return tuple(RefreshWork(run["run_id"], run["steps"], tuple(map(_model, run["models"]))) for run in runs)
    except (FileNotFoundError, ValueError, KeyError, TypeError):  # what cannot be read any more is not known any more
        return ()


def _model(record: Mapping[str, Any]) -> ModelWork:
    return ModelWork(**{**record, "scans": tuple(Scan(**scan) for scan in record["scans"])})


@contextmanager
def tagged(refresh: BegunRefresh, step: str) -> Iterator[None]:
    """Statements that a warehouse is sent meanwhile, also by dbt, carry the product, the run and the step where the warehouse keeps it."""
    before = os.environ.get(QUERY_TAG.name)
    os.environ[QUERY_TAG.name] = json.dumps({"product": refresh.product.name, "run": refresh.run_id, "step": step})
    try:
        yield
    finally:
        os.environ.pop(QUERY_TAG.name)
        if before is not None:
            os.environ[QUERY_TAG.name] = before


@contextmanager
def timed(refresh: BegunRefresh, step: str) -> Iterator[Callable[[Sequence[ModelWork]], None]]:
    """Note how long the step took; what is called inside notes what models did."""
    done: list[ModelWork] = []
    began = time.monotonic()
    try:
        yield done.extend
    finally:
        if wants_work(refresh.product):
            _note(refresh, step, time.monotonic() - began, done)


def _note(refresh: BegunRefresh, step: str, seconds: float, models: Sequence[ModelWork]) -> None:
    """Under the lock of the product's refresh, so nobody else writes."""
    *before, last = kept_work(refresh.state, refresh.product) or (RefreshWork(refresh.run_id),)
    if last.run_id != refresh.run_id:
        before, last = [*before, last], RefreshWork(refresh.run_id)
    now = replace(last, steps={**last.steps, step: last.steps.get(step, 0.0) + seconds}, models=(*last.models, *models))
    file = refresh.state / conventions.work_file(refresh.product.domain, refresh.product.name)
    replace_file(file, json.dumps([asdict(run) for run in (*before, now)][-_KEPT:]).encode())
