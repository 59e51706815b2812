"""The map of a mesh of 300 products: few arrows, in one direction, and every domain in words."""

from types import SimpleNamespace

from platform_resources.marketplace.map_page import MOST_SOURCES, _drawn, domain_reads


def plan_of(reads):
    """Products `domain.number` in the order in which data flows."""
    products = [SimpleNamespace(name=name, domain=name.partition(".")[0]) for name in reads]
    return SimpleNamespace(products=products, upstream=reads)


def test_reads_between_domains_are_counted_by_reading_product():
    plan = plan_of({"a.1": (), "b.1": ("a.1",), "b.2": ("a.1", "b.1"), "a.2": ("b.2",), "c.1": ("gone.1",)})
    assert domain_reads(plan) == {("a", "b"): 2, ("b", "a"): 1}


def test_no_arrow_leads_back_and_of_each_domain_the_most_read_sources_are_drawn():
    reads = {f"{domain}.{number}": () for domain in "abcd" for number in range(3)}
    reads |= {"e.0": ("a.0", "b.0", "c.0"), "e.1": ("a.0", "b.0"), "e.2": ("a.0",), "a.9": ("e.0",)}
    plan = plan_of(reads)
    drawn = _drawn(plan, dict.fromkeys("abcde", ""), domain_reads(plan))
    assert drawn == [("a", "e"), ("b", "e")]
    assert len(drawn) == MOST_SOURCES
