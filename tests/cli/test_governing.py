"""`mesh policies` and `mesh validate`: policies that need what has happened, who breaks them and who is exempt."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from platform_resources.access.grants import KnownGrants
from platform_resources.cli.terminal.console import Stop
from platform_resources.dbt.planning import read_plan
from platform_resources.ledger.database import LEDGER_FILE, ledger_url, open_ledger
from platform_resources.ledger.records import Check, CheckReading, PortPublication, check_id
from platform_resources.ledger.writing import write
from platform_resources.services.access.access_plan import apply_access, take_ended
from tests.cli.conftest import NOW, publish_readings
from tests.meshes import edited, product_file

FILE = product_file("plant", "readings")
KEPT, RETENTION = "certified-products-keep-their-promises", "retention-is-met"
EXEMPT = """\
policies:
  - policy: certified-products-keep-their-promises
    exemptions:
      - {product: readings, until: 2999-12-31, owner: lead@example.com, reason: The logger is being replaced.}
"""


@pytest.fixture
def ledger(published):
    found = open_ledger(ledger_url(published.root, {}))
    yield found
    found.close()


def broken(published, policy):
    listed = json.loads(published.mesh("policies", "--json").stdout)
    return [(each["what"], each["exempt"]) for row in listed if row["policy"] == policy for each in row["breaches"]]


def warned(published):
    done = published.mesh("validate", "--json")
    assert isinstance(done.exception, Stop) and done.exception.code == 0, done.output
    return [each["message"] for each in json.loads(done.stdout) if each["severity"] == "warning"]


def judge(ledger, plan, verdict):
    (objective,) = [each for each in plan.product("readings").objectives if each.check.severity == "error"]
    check, at = objective.check, datetime.now(UTC) - timedelta(hours=1)
    number = check_id(check.key, check.name)
    with ledger.writing() as connection:
        write(connection, [Check(number, "/".join(check.key), check.name, "readings", "objective", objective.dimension, check.title)])
        write(connection, [CheckReading(number, at, f"run-{verdict}", verdict, 2, "", "at least 3", None, "2 rows", 1)])


def test_a_certified_product_that_misses_what_it_promises_breaks_a_policy_unless_it_is_exempt(published, ledger):
    plan = read_plan(published.root)[0]
    judge(ledger, plan, "missed")
    assert broken(published, KEPT) == [], "it is not certified"
    edited(published.root, FILE, "lifecycle: production", "lifecycle: production\n        certified: true")
    told = "it is certified, and its promise Readings are never deleted is missed"
    assert broken(published, KEPT) == [(told, None)]
    assert told in warned(published)
    (published.root / "dataproducts/governance.yaml").write_text(EXEMPT)
    assert [exempt["owner"] for _, exempt in broken(published, KEPT)] == ["lead@example.com"]
    assert told not in warned(published)
    (published.root / "dataproducts/governance.yaml").write_text(
        EXEMPT.replace("exemptions:", "level: error\n    exemptions:").replace("readings", "summary")
    )
    done = published.mesh("validate")
    assert isinstance(done.exception, Stop) and done.exception.code == 2 and told in done.stderr


def test_a_promise_that_is_kept_again_breaks_nothing(published, ledger):
    edited(published.root, FILE, "lifecycle: production", "lifecycle: production\n        certified: true")
    judge(ledger, read_plan(published.root)[0], "met")
    assert broken(published, KEPT) == []


def test_an_indicator_under_its_target_is_named_with_both_numbers(published, ledger):
    edited(published.root, FILE, "lifecycle: production", "lifecycle: production\n        certified: true")
    at = datetime.now(UTC) - timedelta(days=25)
    ports = ("measurements_sql", "measurements_file")
    with ledger.writing() as connection:
        write(connection, [PortPublication("readings", port, "v", at, "1.1.0", at, 3, 100, {}, "run", 1) for port in ports])
    told = [what for what, _ in broken(published, KEPT)]
    assert told == ["it is certified, and its indicator Refreshed on most days is at 0 %, under its target of 80 %"]


def test_a_mesh_without_a_ledger_gets_none_by_being_validated(published):
    edited(published.root, FILE, "lifecycle: production", "lifecycle: production\n        certified: true")
    assert warned(published) == warned(published) and broken(published, KEPT) == []
    assert not (published.root / LEDGER_FILE).exists()


def test_a_ledger_that_cannot_be_read_is_no_kept_promise(published, monkeypatch):
    edited(published.root, FILE, "lifecycle: production", "lifecycle: production\n        certified: true")
    (published.root / ".mesh").mkdir(exist_ok=True)
    (published.root / LEDGER_FILE).write_text("no database")
    assert "whether it keeps its promises is not known: the ledger" in broken(published, KEPT)[0][0]


def test_versions_past_their_retention_are_told_and_then_taken_away_with_the_links_of_roles(published, ledger):
    edited(published.root, FILE, "updated_at: processed_at", "updated_at: processed_at\n        retention: 30d")
    publish_readings(published.root, NOW + timedelta(days=1))
    plan = read_plan(published.root)[0]
    assert apply_access(published.root, plan, KnownGrants(), NOW + timedelta(days=2)) == ()
    older, newer = published.shelf.published()
    links = published.shelf.folder / "by-role/analyst"
    assert {entry.name[:23] for entry in links.glob("2*")} == {older.id, newer.id}
    assert broken(published, RETENTION) == [
        (f"version {older.id} is older than its retention of 30d", None),
        (f"version {newer.id} is older than its retention of 30d; it is the one served", None),
    ]
    assert take_ended(ledger, published.root, plan, plan.products, datetime.now(UTC)) == ()
    assert [each.id for each in published.shelf.published()] == [newer.id]
    assert {entry.name[:23] for entry in links.glob("2*")} == {newer.id}, "no role keeps its bytes"
    assert not list(published.shelf.folder.glob(f"**/*{older.id}*"))
    assert [what for what, _ in broken(published, RETENTION)] == [
        f"version {newer.id} is older than its retention of 30d; it is the one served"
    ]


def test_a_file_that_a_killed_publication_has_left_is_told_once_it_is_too_old(published):
    edited(published.root, FILE, "updated_at: processed_at", "updated_at: processed_at\n        retention: 30d")
    left = published.shelf.folder / "measurements_file/v1/20200101T000000.000000Z"
    left.mkdir(parents=True)
    told = [what for what, _ in broken(published, RETENTION)]
    assert f"{left.relative_to(published.root)} is left of a version older than its retention of 30d" in told
