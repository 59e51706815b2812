"""What the audit of a refresh knows of earlier ones; a ledger that does not answer holds up no refresh."""

import threading
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import dagster as dg

from platform_resources.capabilities.judgements import History
from platform_resources.ledger.connections import DatabaseFailed
from platform_resources.ledger.database import LedgerUnavailable
from platform_resources.ledger.queries.objective_history import compared, histories
from platform_resources.orchestration.events.ledger_events import synced_ledger
from platform_resources.plan.plan import ProductPlan

LONGEST_WAIT = 30.0


def histories_for_audit(
    state: Path, instance: dg.DagsterInstance, product: ProductPlan, now: datetime, wait: float = LONGEST_WAIT
) -> Mapping[str, History]:
    """The history of each objective that needs one. Where the ledger cannot be opened or does not answer in `wait` seconds, each says so.

    It is not touched at all for a product that needs no history.
    """
    asking = [objective.check.name for objective in compared(product) if objective.measured_by == "audit"]
    if not asking:
        return {}
    answer: list[Mapping[str, History]] = []

    def _ask() -> None:
        answer.append(_asked(state, instance, product, now, asking))

    # Nobody can interrupt a database that does not answer: the thread is left to itself, and ends with the process.
    asked = threading.Thread(target=_ask, daemon=True, name=f"history of {product.name}")
    asked.start()
    asked.join(wait)
    return answer[0] if answer else dict.fromkeys(asking, History(error=f"the ledger did not answer in {wait:g} s"))


def _asked(state: Path, instance: dg.DagsterInstance, product: ProductPlan, now: datetime, asking: list[str]) -> Mapping[str, History]:
    try:
        with synced_ledger(state, instance, now) as ledger, ledger.reading() as connection:
            return histories(connection, product, now)
    except LedgerUnavailable as error:
        return dict.fromkeys(asking, History(error=str(error)))
    except DatabaseFailed as error:
        return dict.fromkeys(asking, History(error=f"the ledger failed: {str(error.orig).strip()}"))
