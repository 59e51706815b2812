"""How much of a product's lineage is watched."""

from platform_resources.promises.coverage import Coverage, ProductCoverage, Watched, product_coverage

UPSTREAM = {"orders": (), "customers": (), "revenue": ("orders", "customers"), "report": ("revenue", "orders")}
THINGS = {
    "orders": (Watched("shop"), Watched("orders", tests=2)),
    "customers": (Watched("crm"), Watched("customers")),
    "revenue": (Watched("revenue", 3, 2), Watched("revenue_sql", 0, 1), Watched("revenue_file")),
    "report": (),
}


def test_coverage_is_of_the_product_and_of_its_whole_lineage_each_product_once():
    found = product_coverage("revenue", UPSTREAM, THINGS)
    assert found == ProductCoverage(Coverage(2, 3), Coverage(3, 7), 6, ("customers",))
    assert product_coverage("report", UPSTREAM, THINGS).lineage == Coverage(3, 7)


def test_where_there_is_nothing_to_watch_there_is_no_share():
    found = product_coverage("report", {}, THINGS)
    assert (found.own.share, found.lineage.share, found.blind) == (None, None, ())
    assert product_coverage("orders", UPSTREAM, THINGS).own.share == 0.5


def test_tests_that_run_elsewhere_count_and_cover_nothing_by_themselves():
    found = product_coverage("orders", UPSTREAM, THINGS, elsewhere=4)
    assert (found.tests_and_monitors, found.own) == (6, Coverage(1, 2))
