"""Monitors for tests: small ones by hand."""

from platform_resources.monitors.monitor_costs import Size, Surroundings, Work
from platform_resources.monitors.monitor_plan import Monitor

SIZES = {"internal.orders": Size(1000, 40_000), "inputs.customers": Size(50)}
SURROUNDINGS = Surroundings(SIZES)


def scan(expression: str, relation: str = "internal.orders") -> Work:
    return Work("scan", relation, expression, (relation,))


def query(sql: str, *reads: str) -> Work:
    return Work("query", sql, "", reads or ("internal.orders",))


def monitor(name: str, *work: Work, product: str = "orders", severity: str = "warning", **settings) -> Monitor:
    """An objective of the data set `orders` on the model of that name; its settings may have points in their names as `__`."""
    written = {f"settings.{field.replace('__', '.')}": value for field, value in settings.items()}
    about = {"kind": "objective", "asset": "orders", "dimension": "volume", "data_set": "orders"}
    return Monitor(product, f"orders: {name}", {**about, **written, "title": name.capitalize(), "severity": severity}, work)
