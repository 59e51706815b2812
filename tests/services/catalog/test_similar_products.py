"""Products that are like one another."""

import dataclasses

from platform_resources.plan.plan import MeshPlan
from platform_resources.services.catalog.similar_products import Likenesses


def test_shared_identifiers_make_products_similar_and_are_named(plan):
    found = {similar.product: similar for similar in Likenesses(plan).similar("stock")}
    assert found["readings"].identifiers == found["summary"].identifiers == ("sensor",)
    assert found["readings"].columns == ("sensor",)


def test_lineage_is_no_likeness(plan):
    assert "readings" not in [similar.product for similar in Likenesses(plan).similar("summary")]
    assert "summary" not in [similar.product for similar in Likenesses(plan).similar("readings")]


def test_a_twin_is_most_similar_and_likeness_goes_both_ways(plan):
    twin = dataclasses.replace(plan.product("stock"), name="twin")
    wider = MeshPlan((*plan.products, twin), ())
    first, second, *_ = Likenesses(wider).similar("stock")
    assert (first.product, first.likeness) == ("twin", 0.85), "neither has an upstream, which is nothing that they share"
    assert second.likeness < 0.5
    back = {similar.product: similar.likeness for similar in Likenesses(wider).similar(second.product)}
    assert back["stock"] == second.likeness


def test_nothing_in_common_is_not_similar(plan):
    stock = plan.product("stock")
    bare = dataclasses.replace(
        stock, name="bare", title="Bare", data_sets=(), info=stock.info.model_copy(update={"description": "", "purpose": "", "tags": ()})
    )
    assert Likenesses(MeshPlan((*plan.products, bare), ())).similar("bare") == ()
