"""Reviews on a product's page, and the actions of their forms."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from fastapi import Request

from platform_resources.ledger.connections import Connection
from platform_resources.ledger.made_up import is_made_up_person
from platform_resources.marketplace.security import FormRefused
from platform_resources.marketplace.shop import Shop, reads_as
from platform_resources.plan.plan import ProductPlan
from platform_resources.services.catalog.reviewing import STARS, Reviewer, ReviewRefused, answer, hide, product_reviews, say
from platform_resources.services.showing.mesh_overview import MeshOverview
from platform_resources.spec.values.grantees import is_same


def reviews_shown(shop: Shop, view: MeshOverview, connection: Connection, product: ProductPlan) -> dict[str, Any]:
    """The context of the template `reviews.html`."""
    who, reviews = _reviewer(shop, view), product_reviews(connection, view.plan, product.name, view.at)
    return {
        "reviews": reviews,
        "own_review": next((review.review for review in reviews.shown if is_same(review.review.person, who.name)), None),
        "stars": STARS,
        "made_up_reviews": sum(is_made_up_person(review.review.person) for review in reviews.shown),
        "may_review": not who.owns(product.owners),
        "may_answer": who.may_answer(product.owners),
        "may_hide": who.officers.may_hide_reviews(view.reader),
    }


def reviewed(shop: Shop, request: Request, product: ProductPlan, fields: Mapping[str, str]) -> None:
    """Perform the action of a form. Raises FormRefused."""
    who, now = _reviewer(shop, shop.view(request)), datetime.now(UTC)
    person, text = fields.get("person", ""), fields.get("text", "")
    try:
        match fields.get("do"):
            case "say":
                say(shop.market.ledger, product, who, fields.get("stars", ""), text, now)
            case "answer":
                answer(shop.market.ledger, product, who, person, text, now)
            case "hide":
                hide(shop.market.ledger, product, who, person, text, now)
            case "show":
                hide(shop.market.ledger, product, who, person, "", None)
            case _:
                raise FormRefused("This form says nothing that can be done. Load the page again.")
    except ReviewRefused as error:
        raise FormRefused(f"It was not recorded: {error}.") from error
    shop.market.written()


def _reviewer(shop: Shop, view: MeshOverview) -> Reviewer:
    return Reviewer(reads_as(view.reader), view.reader, shop.auth.officers)
