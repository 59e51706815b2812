"""Copy usage that the warehouse records into the ledger: reads outside the platform, and credits of refreshes."""

from datetime import datetime, timedelta

from platform_resources.ledger.database import Ledger
from platform_resources.ledger.queries.reads import note_use, use_known_until
from platform_resources.plan.plan import MeshPlan
from platform_resources.warehouses.engine_errors import EngineError
from platform_resources.warehouses.protocol import WarehouseRead
from platform_resources.warehouses.targets import warehouse

# Its notes come late, and to ask for them takes compute. Before the first time, so much of the past is asked for as scores count.
LATE, EVERY, AT_FIRST = timedelta(hours=3), timedelta(hours=6), timedelta(days=30)


def note_warehouse_use(ledger: Ledger, plan: MeshPlan, now: datetime) -> str:
    """Copy the usage; returns why it is unavailable, empty if it was copied or the warehouse records none."""
    with ledger.reading() as connection:
        since = use_known_until(connection) or now - AT_FIRST
    until = now - LATE
    if until - since < EVERY:
        return ""
    try:
        use = warehouse().use_between(since, until)
    except EngineError as error:
        return f"reads and credits that the warehouse has noted since {since:%Y-%m-%d} are unknown: {str(error).strip().splitlines()[0]}"
    if use is not None:
        reads = [
            {"product": read.product, "port": _port(plan, read), "reader": read.reader, "at": read.at, "columns": list(read.columns)}
            for read in use.reads
        ]
        credits = [{"run_id": refresh.run_id, "product": refresh.product, "credits": refresh.credits} for refresh in use.credits]
        with ledger.writing() as connection:
            note_use(connection, reads, credits, until)
    return ""


def _port(plan: MeshPlan, read: WarehouseRead) -> str:
    """The output port that shows the data set there; the data set itself where several do, or nobody knows the product any more."""
    product = next((product for product in plan.products if product.name == read.product), None)
    ports = [port.name for port in product.outputs if port.data_set == read.data_set and port.store.in_catalog] if product else []
    return ports[0] if len(ports) == 1 else read.data_set
