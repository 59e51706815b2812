"""Load the history that an audit compares with; a ledger that does not answer does not block the refresh."""

import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime

from platform_resources.capabilities.judgements import History
from platform_resources.ledger.connections import DatabaseFailed
from platform_resources.ledger.database import Ledger, LedgerUnavailable
from platform_resources.ledger.people.carried_history import carry_history, is_renamed
from platform_resources.ledger.queries.objective_history import compared, histories
from platform_resources.plan.plan import MeshPlan, ProductPlan

LONGEST_WAIT = 30.0
# Opens the ledger; raises LedgerUnavailable.
OpensLedger = Callable[[], AbstractContextManager[Ledger]]


def histories_for_audit(opened: OpensLedger, product: ProductPlan, now: datetime, wait: float = LONGEST_WAIT) -> Mapping[str, History]:
    """The history of each objective that needs one; if the ledger does not answer within `wait` seconds, a note of that instead.

    It is not touched at all for a product that needs no history.
    """
    asking = [objective.check.name for objective in compared(product) if objective.measured_by == "audit"]
    if not asking:
        return {}
    answer: list[Mapping[str, History]] = []

    def _ask() -> None:
        answer.append(_asked(opened, product, now, asking))

    # Nobody can interrupt a database that does not answer: the thread is left to itself, and ends with the process.
    asked = threading.Thread(target=_ask, daemon=True, name=f"history of {product.name}")
    asked.start()
    asked.join(wait)
    return answer[0] if answer else dict.fromkeys(asking, History(error=f"the ledger did not answer in {wait:g} s"))


def _asked(opened: OpensLedger, product: ProductPlan, now: datetime, asking: list[str]) -> Mapping[str, History]:
    try:
        with opened() as ledger:
            if is_renamed(product):  # what was learned under a former name goes on to be known
                with ledger.projecting() as connection:
                    carry_history(connection, MeshPlan((product,), ()))
            with ledger.reading() as connection:
                return histories(connection, product, now)
    except LedgerUnavailable as error:
        return dict.fromkeys(asking, History(error=str(error)))
    except DatabaseFailed as error:
        return dict.fromkeys(asking, History(error=f"the ledger failed: {str(error.orig).strip()}"))
