"""The inbox: requests to decide, incidents of one's products, and the state of one's own requests."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from fastapi import Request

from platform_resources.access.grants import Act, Grant, NotAllowed
from platform_resources.incidents.severity import rank
from platform_resources.ledger.people.review_store import expectations_of, unanswered_reviews
from platform_resources.ledger.people.subscriptions import Subscription, subscriptions
from platform_resources.marketplace.display import phrases
from platform_resources.marketplace.display.phrases import PageTimes
from platform_resources.marketplace.home_page import page_zone
from platform_resources.marketplace.people.access_pages import day, followed, is_own
from platform_resources.marketplace.security import FormRefused
from platform_resources.marketplace.shop import Shop, reads_as
from platform_resources.services.access.requests import act_on_grant, all_grants
from platform_resources.services.releases.expectations import waiting
from platform_resources.services.showing.mesh_overview import MeshOverview
from platform_resources.spec.values.grantees import is_same

ACTS: Mapping[str, Act] = {"approve": "approved", "reject": "rejected", "revoke": "revoked", "renew": "renewed"}
LONGEST_REASON = 1000


def inbox_page(shop: Shop, request: Request, refused: str = "") -> dict[str, Any]:
    """The context of the template `inbox.html`; `refused` says why a decision failed."""
    view, who = shop.view(request), shop.reads_as(request)
    own = {product.name for product in view.plan.products if view.reader is None or view.reader.is_among(product.owners)}
    with shop.market.ledger.reading() as connection:
        heard = [wish for wish in subscriptions(connection) if is_same(wish.subscriber, who)]
        reviews = [review for review in unanswered_reviews(connection) if review.product in own]
        expected = [known for known in waiting(expectations_of(connection)) if _may_decide(shop, view, known.product)]
    return _grants(shop, view, all_grants(view.plan, shop.market.ledger)) | {
        "page": "inbox",
        "times": PageTimes(view.at, page_zone(view)),
        "view": view,
        "incidents": sorted((stored for stored in view.live if stored.incident.cause in own), key=lambda stored: -rank(stored.severity)),
        "heard": heard,
        "expected": expected,
        "reviews": reviews,
        "severities": phrases.SEVERITIES,
        "refused": refused,
    }


def for_you(shop: Shop, view: MeshOverview) -> dict[str, Any]:
    """What the first page has for its reader, also while the ledger does not answer."""
    in_code = (grant for product in view.plan.products for grant in product.offers.grants)
    none: tuple[Subscription, ...] = ()
    heard = shop.market.patient.said(lambda connection: subscriptions(connection), none)
    own = [wish for wish in heard if is_same(wish.subscriber, reads_as(view.reader))]
    return _grants(shop, view, (*in_code, *view.grants.grants)) | {"heard": own}


def _grants(shop: Shop, view: MeshOverview, grants: Iterable[Grant]) -> dict[str, Any]:
    """Which of them wait for the reader, which are given of their products, and which are their own."""
    who, now, known = reads_as(view.reader), datetime.now(UTC), tuple(grants)
    decided = [grant for grant in known if _may_decide(shop, view, grant.product)]
    return {
        "now": now,
        "waiting": [grant for grant in decided if grant.state(now) == "requested"],
        "given": [grant for grant in decided if grant.state(now) in ("approved", "expired") and not grant.in_code],
        "mine": [grant for grant in known if is_own(grant, view, who) and (view.reader is not None or is_same(grant.requested_by, who))],
        "titles": {product.name: product.title for product in view.plan.products},
    }


def _may_decide(shop: Shop, view: MeshOverview, product: str) -> bool:
    owners = next((candidate.owners for candidate in view.plan.products if candidate.name == product), ())
    return shop.auth.officers.may_decide_on_grants(view.reader, owners)


def decided(shop: Shop, request: Request, name: str, fields: Mapping[str, str]) -> Grant:
    """Record the decision of a form for its sender. Raises NotAllowed, FormRefused, NoSuchGrant."""
    view, act = shop.view(request), ACTS.get(fields.get("do", ""))
    if act is None:
        raise FormRefused("This form says nothing that can be done. Load the page again.")
    grant = next((grant for grant in all_grants(view.plan, shop.market.ledger) if grant.name == name), None)
    if grant is None or not _may_decide(shop, view, grant.product):
        raise FormRefused("An owner of the product decides on this, or governance.")
    if view.reader is not None and view.reader.is_among((grant.subject,)):
        raise NotAllowed(f"you are {grant.subject} yourself, or belong to it, so somebody else must decide")
    until, why = day(fields.get("until", "")), fields.get("why", "").strip()[:LONGEST_REASON]
    who, now = shop.reads_as(request), datetime.now(UTC)
    done = act_on_grant(shop.market.ledger, view.plan, name, act, who, why, now, until, vouched=True)
    followed(shop, view.plan, done)
    return done
