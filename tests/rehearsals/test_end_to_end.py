"""The sample mesh through days of trouble: from an input that breaks to everybody having been told that it is over.

Marketing is left out: its products take the most time and add nothing to the story. All times are told to the platform; they lie a few
days back, so that `mesh`, which knows only the real time, can look at the ledger in the end.
"""

import os
import re
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from platform_resources.incidents import life_cycle
from platform_resources.services.trust import Trust
from tests.meshes import REPOSITORY, edited
from tests.refresh.running import mesh, mesh_json
from tests.rehearsals.rehearsal import NOW_SQL, Receivers, Rehearsal, mail_text, missed, receivers, rehearsal, statuses

pytestmark = pytest.mark.slow

HOUR, MINUTE, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)
# Monday is day 0. The refresh of Thursday, a quarter of an hour later, lies behind whatever time of the day it is really.
MONDAY = (datetime.now(UTC) - 2 * HOUR).replace(hour=0, minute=10, second=0, microsecond=0) - 3 * DAY
TUESDAY, THURSDAY = MONDAY + DAY, MONDAY + 3 * DAY
EXTRACTOR = "dataproducts/sales/purchase_orders/extract.py"
WORKS = "    return extraction.connection.sql"
# The code stays the same while the tills are down: a refresh with other code publishes anew.
BREAKABLE = f"""\
    import os

    if os.environ["REHEARSAL_TILLS"] == "down":
        raise ConnectionError("the tills of store 317 do not answer")
{WORKS}"""
OWNERS = ("sales.alerts", "sales.mail")
# The controlling lead is an owner of the revenue, by its own routes, and hears as such what it means for the revenue.
LEAD = "controlling-lead@example.com"
CONSUMERS = ("customer.alerts", "customer.mail", "finance.alerts", "finance.mail", LEAD)
INDICATOR = "fresh_orders_over_a_rolling_20_days"
# The one that the story is about.
INCIDENT = "purchase_orders#2"


@dataclass(frozen=True, slots=True)
class Moment:
    """What could be seen at one time."""

    live: Mapping[str, tuple[str, ...]]
    statuses: Mapping[str, str]
    missed: Mapping[str, set[str]]
    trust: Mapping[str, Trust]
    told: list[tuple[str, str, str]]
    check: dg.AssetCheckEvaluation
    scorecard: Mapping[str, Any]


@dataclass
class Story:
    """What was seen on the way, by name, and the mesh as it is in the end."""

    played: Rehearsal
    receivers: Receivers
    seen: dict[str, Moment] = field(default_factory=dict)
    commands: dict[str, Any] = field(default_factory=dict)

    def look(self, name: str, now: datetime) -> None:
        played = self.played
        products, trust = played.looked_at(now)
        self.seen[name] = Moment(
            played.live(),
            statuses(products),
            missed(products),
            trust,
            sorted(
                (entry.message.kind, entry.message.channel, entry.state) for entry in played.outbox() if entry.message.incident == INCIDENT
            ),
            played.check("purchase_orders", INDICATOR),
            played.scorecard("purchase_orders"),
        )

    def round(self, now: datetime, *domains: str) -> None:
        """Twice, since looking again must change nothing."""
        self.played.evaluate(now, *domains)
        self.played.deliver(now)


def sample(folder: Path, mail_port: int) -> Path:
    """The sample without marketing, whose models ask the test for the time, and whose mail server listens elsewhere."""
    for part in ("dataproducts", "dbt_project"):
        shutil.copytree(REPOSITORY / part, folder / part, ignore=shutil.ignore_patterns("marketing", "target", "logs", "__pycache__"))
    for model in folder.glob("dbt_project/models/*/*/*.sql"):
        model.write_text(re.sub(r"\bcurrent_timestamp\b", NOW_SQL, model.read_text()))
    for domain in folder.glob("dataproducts/*/domain.yaml"):
        domain.write_text(domain.read_text().replace("${SMTP_HOST}:25", f"${{SMTP_HOST}}:{mail_port}"))
    return edited(folder, EXTRACTOR, WORKS, BREAKABLE)


@pytest.fixture(scope="module")
def story(tmp_path_factory) -> Iterator[Story]:
    with receivers() as found, pytest.MonkeyPatch.context() as tills:
        root = sample(tmp_path_factory.mktemp("sample"), found.mail.port)
        variables = {f"{domain.upper()}_ALERTS_URL": found.url(f"{domain}.alerts") for domain in ("sales", "customer", "finance")}
        with rehearsal(root, {**variables, "SMTP_HOST": "127.0.0.1", "MESH_MAIL": found.mail.url()}) as played:
            told = Story(played, found)
            tills.setenv("REHEARSAL_TILLS", "up")
            play(told, tills)
            yield told


def play(told: Story, tills: pytest.MonkeyPatch) -> None:
    played, root = told.played, told.played.root
    accept_what_the_data_does_not_keep(told)
    told.look("before", MONDAY + 25 * MINUTE)

    tills.setenv("REHEARSAL_TILLS", "down")
    done = played.refresh(TUESDAY + 5 * MINUTE, "households", "product_catalog", "purchase_orders")
    assert [each.outcome for each in done.values()] == ["published", "published", "unchanged"]
    told.round(TUESDAY + 10 * MINUTE, "customer")
    told.look("customer first", TUESDAY + 10 * MINUTE)
    told.round(TUESDAY + 15 * MINUTE, "finance", "sales")
    told.look("noticed", TUESDAY + 15 * MINUTE)
    told.round(TUESDAY + 36 * MINUTE, "sales", "finance", "customer")
    told.look("told", TUESDAY + 36 * MINUTE)
    told.round(TUESDAY + 37 * MINUTE, "customer", "sales", "finance")
    told.look("told again", TUESDAY + 37 * MINUTE)
    # After the quiet hours, which end at 7 in Berlin: 5 or 6 o'clock in UTC, by the season.
    told.round(TUESDAY + 7 * HOUR, "finance", "sales")
    told.look("reminded", TUESDAY + 7 * HOUR)
    played.act(
        "purchase_orders", lambda incident: life_cycle.acknowledged(incident, TUESDAY + 7 * HOUR + MINUTE, "ana", "calls the stores")
    )
    told.round(TUESDAY + 10 * HOUR, "sales")
    told.look("acknowledged", TUESDAY + 10 * HOUR)
    told.commands["while open"] = commands(root)

    tills.setenv("REHEARSAL_TILLS", "up")
    played.refresh(THURSDAY, "households", "product_catalog")
    told.round(THURSDAY + 5 * MINUTE, "sales")
    told.look("stale", THURSDAY + 5 * MINUTE)
    done = played.refresh(THURSDAY + 10 * MINUTE, "purchase_orders", "customer_360", "revenue")
    assert {each.outcome for each in done.values()} == {"published"}
    told.round(THURSDAY + 15 * MINUTE, "finance", "sales", "customer")
    told.look("fixed", THURSDAY + 15 * MINUTE)
    told.round(THURSDAY + 30 * MINUTE, "sales", "customer", "finance")
    told.look("fixed again", THURSDAY + 30 * MINUTE)
    told.commands["when over"] = commands(root)


def accept_what_the_data_does_not_keep(told: Story) -> None:
    """Promises that the real data breaks for good. What others explain counts by itself only once those are accepted."""
    played = told.played
    done = played.refresh(MONDAY, *(product.name for product in played.plan.products))
    assert {each.outcome for each in done.values()} == {"published"}
    for minutes in (10, 15):
        told.round(MONDAY + minutes * MINUTE)
        told.look(f"weak {minutes}", MONDAY + minutes * MINUTE)
        for name in played.live():
            at = MONDAY + (minutes + 1) * MINUTE
            played.act(
                name.partition("#")[0], lambda incident, at=at: life_cycle.resolved(incident, "expected", at, "ana", "known for years")
            )
    told.round(MONDAY + 20 * MINUTE)


def commands(root: Path) -> dict[str, Any]:
    return {
        "incidents": {each["name"]: each for each in mesh_json(root, "incidents")},
        "status": {each["product"]: each for each in mesh_json(root, "status")},
        "incidents' exit code": mesh(root, "incidents").returncode,
    }


def kinds(told: list[tuple[str, str, str]], *wanted: str) -> Counter[str]:
    """How many messages of these kinds each channel has got."""
    assert {state for _, _, state in told} <= {"sent"}, told
    return Counter(channel for kind, channel, _ in told if kind in wanted)


def test_weaknesses_of_the_data_are_incidents_until_somebody_expects_them(story):
    """What is wrong with one product proves nothing about another: each has an incident of its own, which names those above."""
    assert story.seen["weak 10"].live == {
        "customer_360#1": (),
        "households#1": (),
        "product_catalog#1": (),
        "purchase_orders#1": (),
    }
    assert story.played.events("customer_360#1")[0] == "opened possibly related: households#1, purchase_orders#1"
    assert story.seen["weak 15"].live == {}
    assert story.seen["before"].live == {}
    assert story.seen["before"].told == []


def test_exactly_what_the_broken_input_harms_breaks_more_promises_than_before(story):
    before, after = story.seen["before"].missed, story.seen["reminded"].missed
    assert {product: after[product] - before[product] for product in after} == {
        "households": set(),
        "product_catalog": set(),
        "purchase_orders": {"Input transactions arrived"},
        "customer_360": {"Refreshed daily"},
        "revenue": {"Refreshed daily"},
    }


def test_the_cause_in_another_domain_is_found_before_that_domain_has_looked(story):
    for name in ("customer first", "noticed"):
        assert story.seen[name].live == {"purchase_orders#2": ("customer_360",)}


def test_there_is_one_incident_at_the_root_in_whichever_order_domains_are_evaluated(story):
    for name in ("told", "told again"):
        assert story.seen[name].live == {"purchase_orders#2": ("customer_360",)}
    for name in ("reminded", "acknowledged", "stale"):
        assert story.seen[name].live == {"purchase_orders#2": ("customer_360", "revenue")}


def test_each_channel_hears_of_it_once_after_the_wait_and_of_what_is_worse_then(story):
    for name in ("customer first", "noticed"):
        assert story.seen[name].told == []
    early = dict.fromkeys((*OWNERS, "customer.alerts", "customer.mail"), 1)
    for name in ("told", "told again"):
        assert kinds(story.seen[name].told, "incident") == early
    everybody = dict.fromkeys((*OWNERS, *CONSUMERS), 1)
    for name in ("reminded", "acknowledged", "stale", "fixed", "fixed again"):
        assert kinds(story.seen[name].told, "incident") == everybody
    # The revenue's own routes lead to the mail of those who are the owners of the cause.
    for name in ("reminded", "acknowledged"):
        assert kinds(story.seen[name].told, "update") == {"sales.mail": 1}
    # Once the orders themselves are stale they are unhealthy, and the incident is critical.
    for name in ("stale", "fixed", "fixed again"):
        assert kinds(story.seen[name].told, "update") == everybody | {"sales.mail": 2}


def test_owners_read_what_fails_and_consumers_what_it_means_for_them(story):
    chats = {room: (title, body) for room, title, body in first_chats(story)}
    title, body = chats["sales.alerts"]
    assert title == "[high] Purchase orders has trouble with what it is made from (purchase_orders#2)"
    assert "- Impacted products: Customer 360\n" in body
    assert "inputs/transactions:arrived" in body and "the tills of store 317 do not answer" in body and "mesh ack purchase_orders#2" in body
    title, body = chats["customer.alerts"]
    assert title == "Customer 360 is unhealthy: Purchase orders has trouble with what it is made from"
    assert "What still works: " in body and "Customer 360 follows once Purchase orders is well." in body
    title, body = chats["finance.alerts"]
    assert title == "Revenue is unhealthy: Purchase orders has trouble with what it is made from"
    for room in ("customer.alerts", "finance.alerts"):
        assert not re.search(r"tills of store|arrived|ConnectionError|mesh ack|customer_360#2", chats[room][1])


def first_chats(story: Story) -> Iterator[tuple[str, str, str]]:
    for request in story.receivers.web.requests:
        if request["key"].startswith("incident/purchase_orders#2/0/first/"):
            yield request["path"].strip("/"), request["body"]["title"], request["body"]["message"]


def test_mails_reach_the_teams_lists(story):
    arrived = Counter((mail["To"], mail["X-Mesh-Message"].split("/")[3]) for mail in story.receivers.mail.mails if is_of(mail))
    lists = ("sales-data@example.com", "customer-data@example.com", "finance-data@example.com", LEAD)
    wanted = {(to, what): 1 for to in lists for what in ("first", "recovery")}
    wanted |= {(to, "update"): 1 for to in lists}
    wanted[("sales-data@example.com", "update")] = 2
    assert arrived == wanted
    (told,) = [mail_text(mail) for mail in story.receivers.mail.mails if is_of(mail) and "finance" in mail["To"] and "first" in key(mail)]
    assert "Revenue" in told and "Purchase orders" in told and "store 317" not in told


def key(mail: Any) -> str:
    return str(mail["X-Mesh-Message"])


def is_of(mail: Any) -> bool:
    return key(mail).startswith("incident/purchase_orders#2/")


def test_owners_are_reminded_until_somebody_has_acknowledged_it(story):
    assert not kinds(story.seen["told again"].told, "reminder")
    for name in ("reminded", "acknowledged", "stale", "fixed again"):
        assert kinds(story.seen[name].told, "reminder") == {"sales.alerts": 1}, "the mailing list had an update at that time"


def test_deadlines_are_foretold_before_they_are_missed(story):
    (customer, revenue, orders) = story.seen["noticed"].trust["purchase_orders"].forecast
    assert (customer.product, customer.deadline, customer.certain) == ("customer_360", TUESDAY, True)
    assert (revenue.product, revenue.deadline, revenue.certain) == ("revenue", MONDAY + 28 * HOUR, False)
    assert (revenue.via, revenue.consumers) == (("purchase_orders", "revenue"), ("Management report",))
    # The newest receipt is of the last minutes of Sunday.
    assert (orders.product, orders.certain) == ("purchase_orders", False)
    assert timedelta() < MONDAY.replace(minute=0) + 50 * HOUR - orders.deadline < HOUR
    assert "Refreshed daily" not in story.seen["noticed"].missed["revenue"]
    assert "Refreshed daily" in story.seen["reminded"].missed["revenue"]
    assert "Orders are fresh" not in story.seen["acknowledged"].missed["purchase_orders"]
    assert "Orders are fresh" in story.seen["stale"].missed["purchase_orders"]
    assert story.seen["fixed again"].trust["purchase_orders"].forecast == ()


@pytest.mark.parametrize(
    ("name", "good", "bad", "percent", "left"),
    [
        # Each day's orders must be at most 50 h old when it ends. Those of Sunday serve Monday and Tuesday, not Wednesday.
        ("before", 0, 0, None, None),
        ("reminded", 1, 0, 100.0, 0.05 * 1),
        ("stale", 2, 1, 100 * 2 / 3, 0.05 * 3 - 1),
        ("fixed again", 2, 1, 100 * 2 / 3, 0.05 * 3 - 1),
    ],
)
def test_the_error_budget_is_what_one_computes_by_hand(story, name, good, bad, percent, left):
    seen = story.seen[name]
    (standing,) = [each for each in seen.trust["purchase_orders"].standings if each.indicator.check.name == INDICATOR]
    reached = standing.attainment
    assert (reached.good, reached.bad) == (good, bad)
    assert reached.percent == (None if percent is None else pytest.approx(percent))
    assert (reached.budget.left if reached.budget else None) == (None if left is None else pytest.approx(left))
    told = {key: value.value for key, value in seen.check.metadata.items()}
    assert told.get("attainment_percent") == (None if percent is None else pytest.approx(percent))
    assert seen.check.passed == (percent in (None, 100.0)), "no verdict is no failure"
    assert seen.scorecard.get(f"budget_left_{INDICATOR}") == (None if left is None else pytest.approx(left))
    assert seen.scorecard.get(f"attainment_percent_{INDICATOR}") == (None if percent is None else pytest.approx(percent))


def test_once_repaired_it_is_over_and_whoever_heard_of_it_hears_that_once(story):
    for name in ("fixed", "fixed again"):
        assert story.seen[name].live == {}
        assert kinds(story.seen[name].told, "recovery") == dict.fromkeys((*OWNERS, *CONSUMERS), 1)
    assert story.played.events("purchase_orders#2")[-1] == "resolved auto-recovered"
    assert not any("They add" in text for text in story.receivers.texts())
    assert not [title for _, title in story.receivers.chats() if "well again" in title], "what was accepted is still missed"
    endings = {room: title for room, title in story.receivers.chats() if "auto-recovered" in title}
    told = 'Closed: Purchase orders (auto-recovered); it is "use with care"'
    assert endings == dict.fromkeys(("sales.alerts", "customer.alerts", "finance.alerts"), told)


def test_commands_checks_and_scorecards_tell_the_same(story):
    during, after = story.commands["while open"], story.commands["when over"]
    for told in (during, after):
        for product, each in told["status"].items():
            named = {incident["name"] for incident in each["incidents"]}
            assert named == {
                name
                for name, incident in told["incidents"].items()
                if incident["status"] != "resolved" and product in (incident["cause"], *incident["impacted"])
            }
    assert {product: [i["name"] for i in each["incidents"]] for product, each in during["status"].items()} == {
        "households": [],
        "product_catalog": [],
        "purchase_orders": ["purchase_orders#2"],
        "customer_360": ["purchase_orders#2"],
        "revenue": ["purchase_orders#2"],
    }
    assert during["incidents"]["purchase_orders#2"]["status"] == "acknowledged"
    assert (during["incidents' exit code"], after["incidents' exit code"]) == (1, 0)
    assert story.seen["acknowledged"].scorecard["open_incidents"] == 1
    assert "purchase_orders#2" in story.seen["acknowledged"].scorecard["incidents_table"]
    assert story.seen["fixed again"].scorecard["open_incidents"] == 0
    assert "incidents_table" not in story.seen["fixed again"].scorecard


def test_the_environment_of_this_process_names_no_channel():
    """What was sent went where the story's environment says."""
    assert not any(name.endswith("_ALERTS_URL") for name in os.environ)
