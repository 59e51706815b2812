"""One small mesh of incidents for tests of messages: purchase orders feed revenue, revenue feeds the board report."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from platform_resources.incidents.life_cycle import Incident
from platform_resources.notify.facts import About, Failure, Impact, Subscriber, Trouble
from platform_resources.plan.quiet_hours import QuietHours
from platform_resources.plan.routes import Patience, RoutePlan

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
# Monday 15 June 2026, five o'clock in Berlin.
FIVE = datetime(2026, 6, 15, 3, tzinfo=UTC)
BERLIN = "Europe/Berlin"
NIGHT = QuietHours(time(20), time(7), BERLIN, ("mon", "tue", "wed", "thu", "fri"))
PATIENCE = Patience(20 * MINUTE, DAY)

ORDERS = About(
    "purchase_orders",
    "Purchase orders",
    "sales",
    BERLIN,
    ("head-of-sales@example.com", "team:sales-data"),
    "#sales-data",
    "dataproducts/sales/purchase_orders/README.md#when-it-breaks",
    ("Sales cockpit",),
    (RoutePlan("sales.alerts", "owner", "low"), RoutePlan("sales.alerts", "subscriber", "medium")),
    PATIENCE,
    FIVE - DAY,
)
REVENUE = About(
    "revenue",
    "Revenue",
    "finance",
    BERLIN,
    ("team:finance-data",),
    "#finance-data",
    "https://wiki.example.com/revenue",
    ("Monthly figures",),
    (RoutePlan("finance.alerts", "owner", "low"), RoutePlan("cfo@example.com", "subscriber", "high")),
    PATIENCE,
    FIVE - DAY + 10 * MINUTE,
)
REPORT = About("board_report", "Board report", "finance", BERLIN, routes=(RoutePlan("finance.alerts", "owner", "low"),), patience=PATIENCE)
STALE = Failure(
    "orders:refreshed_daily",
    "Refreshed daily",
    FIVE,
    "freshness",
    "it is as of Sun 14 Jun, 05:00 CEST, 24 h 30 min ago; at most 24h promised",
    "24.5",
    "24",
    run_id="5d1c",
)
ANALYST = Subscriber("revenue", "analyst@example.com", "low")


def incident(number=3, **told):
    return replace(Incident("purchase_orders", number, FIVE, FIVE + 5 * MINUTE, FIVE + 5 * MINUTE), **told)


def impact(about=REVENUE, since=FIVE + 5 * MINUTE, until=None, via=()):
    return Impact(about, since, until, via)


def trouble(severity="medium", impacts=(), failures=(STALE,), **told):
    """The newest trouble of purchase orders; `told` are the incident's and the trouble's other facts."""
    own = {name: told.pop(name) for name in list(told) if name in Incident.__dataclass_fields__}
    found = Trouble(incident(**own), severity, ORDERS, "1 product and 1 consumer depend on it", tuple(impacts), tuple(failures))
    return replace(found, **told)


def over(after=2 * HOUR + 20 * MINUTE, resolution="auto-recovered", **told):
    at = FIVE + after
    return trouble(status="resolved", resolution=resolution, resolved_at=at, changed_at=at, **told)


def sent(due, state="sent"):
    return {message.key: state for message in due.queue}


def told(due):
    return [(message.kind, message.channel, message.subject) for message in due.queue]
