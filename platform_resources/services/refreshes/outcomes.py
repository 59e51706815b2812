"""The outcome of a product's refresh, however its stages were run."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from platform_resources.plan.check_plans import CheckPlan
from platform_resources.plan.plan import ProductPlan
from platform_resources.publications.published_versions import shelf

Outcome = Literal["published", "unchanged", "gate closed", "failed"]


@dataclass(frozen=True, slots=True)
class Refreshed:
    """The outcome of one refresh: the version published or why there is none, and the warnings of inputs and objectives.

    `served` is the version that consumers have after it.
    """

    product: str
    outcome: Outcome
    version: str | None
    served: str | None
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]
    run_id: str
    seconds: float


@dataclass(frozen=True, slots=True)
class FailedCheck:
    """A failed check and why; `hint` says what to do if the cause may not be the data."""

    check: CheckPlan
    reason: str
    hint: str = ""

    @property
    def sentence(self) -> str:
        """The check's title with the reason."""
        return f"{self.check.title}: {self.reason}"


@dataclass(frozen=True, slots=True)
class StagesEnd:
    """How the stages ended. `errors` are failures other than closed gates; `complete` if nothing stopped the refresh."""

    failed: tuple[FailedCheck, ...]
    errors: tuple[str, ...]
    complete: bool


def refreshed(state: Path, product: ProductPlan, run_id: str, perform: Callable[[], StagesEnd]) -> Refreshed:
    """Run the stages, then report how they ended and which version they published."""
    started, before = time.monotonic(), _served(state, product)
    end = perform()
    served = _served(state, product)
    gates = [failure for failure in end.failed if failure.check.blocking]
    # What fails behind an input that was not loaded probably fails for that, and is told after it; that of the input itself says all.
    behind = end.errors and not end.errors[0].startswith(tuple(f"input port {port.name}: " for port in product.inputs))
    inputs = {port.key for port in product.inputs} if behind else set()
    warned = [failure for failure in end.failed if not failure.check.blocking]
    lost = [failure for failure in warned if failure.check.key in inputs and failure.check.name in ("arrived", "contract")]
    hints = dict.fromkeys(failure.hint for failure in gates if failure.hint)
    return Refreshed(
        product=product.name,
        outcome=_outcome(end, served != before),
        version=served if served != before else None,
        served=served,
        reasons=(*(failure.sentence for failure in lost), *end.errors) or (*(failure.sentence for failure in gates), *hints),
        warnings=tuple(failure.sentence for failure in warned if failure not in lost),
        run_id=run_id,
        seconds=time.monotonic() - started,
    )


def _served(state: Path, product: ProductPlan) -> str | None:
    latest = shelf(state, product.domain, product.name).latest()
    return latest.id if latest is not None else None


def _outcome(end: StagesEnd, published: bool) -> Outcome:
    """Where no stage failed on its own account, only a closed gate ends a refresh before its time."""
    if end.errors:
        return "failed"
    if not end.complete:
        return "gate closed"
    return "published" if published else "unchanged"
