"""What `mesh new product` writes is published and green at once, and each of its promises is missed when the data break."""

from datetime import UTC, datetime

import pytest

from platform_resources.services.starting.new_inputs import AskedSource
from platform_resources.services.starting.new_meshes import new_mesh
from platform_resources.services.starting.new_products import thought_of, write
from tests.refresh.running import deliver, running

pytestmark = pytest.mark.slow
HEAD = "order_id,Order Day,größe,amount_eur,discount_pct,customer_mail,updated at,note\n"
NAMES = 'a,a_1,A 1,größe,GRÖSSE 2,"say ""hi""", blank ,"{{ ref }}",select,it\'s,"x, y",学校,,empty\n' + "".join(
    f"{n},2,3,x,y,5,6,7,8,{n}.50,007,{'x' if n % 2 else '1'},2026-01-31,\n" for n in range(3)
)


GATE = "Every row is there once"
PROMISES = {
    GATE,
    "The data came whole",
    "Filled in 45 % of the rows",
    "Order Day is not in the future",
    "größe is a known value",
    "amount_eur is in its range",
    "discount_pct is in its range",
}


def orders(rows, *, number=1, size="M", amount="3.50", pct=5, day="2026-10-01", note="x", mail="c@example.com"):
    """A delivery of so many rows: `number` is the step of the key; the other values are those of its last row."""
    lines = [
        f"{n},2026-09-{n % 28 + 1:02},{'SML'[n % 3]},{n % 7}.50,{n % 10},c{n}@example.com,2026-10-01 08:00:00,{'x' * (n % 2)}"
        for n in range(rows - 1)
    ]
    last = f"{(rows - 1) * number},{day},{size},{amount},{pct},{mail},2026-10-01 08:00:00,{note}"
    return HEAD + "\n".join((*lines, last)) + "\n"


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A mesh with two products from files, each refreshed once."""
    root = tmp_path_factory.mktemp("first") / "shop"
    new_mesh(root, None, None)
    for name, text in (("orders", orders(600)), ("names", NAMES)):
        (root / f"{name}.csv").write_text(text)
        write(root, thought_of(root, "shop", name, AskedSource(str(root / f"{name}.csv")), datetime.now(UTC)))
    with running(root) as mesh:
        yield mesh, mesh.refresh("orders", "names")


def test_a_new_product_is_published_and_keeps_every_promise(shop):
    mesh, first = shop
    assert [(done.outcome, done.reasons, done.warnings) for done in first] == [("published", (), ())] * 2
    for name in ("orders", "names"):
        health = mesh.health(name, datetime.now(UTC))
        assert (health.status, {state.verdict for state in health.objectives}) == ("healthy", {"met"}), health


def test_columns_of_any_name_are_published_with_their_values(shop):
    mesh, _ = shop
    (row, *_) = mesh.rows("names", "select * from names order by all")
    assert len(row) == 14


def test_every_promise_is_missed_when_the_data_break(shop):
    mesh, _ = shop
    broken = orders(250, number=0, size="XXL", amount="900.00", pct=250, day="2999-01-01").replace(",x\n", ",\n")
    deliver(mesh.root, broken, "orders.csv")
    (done,) = mesh.refresh("orders")
    missed = {reason.partition(":")[0] for reason in (*done.reasons, *done.warnings)}
    assert (done.outcome, missed) == ("gate closed", PROMISES)
    assert {state.title for state in mesh.health("orders", datetime.now(UTC)).objectives} == PROMISES


def test_a_column_that_was_always_filled_may_not_become_empty(shop):
    mesh, _ = shop
    deliver(mesh.root, orders(600, mail=""), "orders.csv")
    (done,) = mesh.refresh("orders")
    assert (done.outcome, "customer_mail" in done.reasons[0]) == ("failed", True), done.reasons
