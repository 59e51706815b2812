"""What was before, for those objectives that are compared with it."""

from datetime import datetime

from platform_resources.capabilities.judgements import History
from platform_resources.ledger.connections import Connection
from platform_resources.ledger.queries.compared_history import history
from platform_resources.ledger.records import check_id
from platform_resources.plan.conventions import check_text
from platform_resources.plan.from_products.compared_objectives import compared
from platform_resources.plan.plan import ProductPlan


def histories(connection: Connection, product: ProductPlan, now: datetime) -> dict[str, History]:
    """By the names of their checks. The ledger must be synced before."""
    checks = [objective.check for objective in compared(product)]
    publishes = bool(product.outputs)
    return {
        check.name: history(connection, product.name, check_id(check.key, check.name), check_text(check.key, check.name), publishes, now)
        for check in checks
    }
