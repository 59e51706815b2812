"""The API route of a product's score: letters, criteria with evidence, history."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from typing_extensions import TypedDict

from platform_resources.capabilities.score_facts import Letter
from platform_resources.ledger.people.score_store import PastScore
from platform_resources.marketplace.api.descriptions import success
from platform_resources.marketplace.display.product_grade import grade
from platform_resources.marketplace.shop import Missing, Shop, product_named
from platform_resources.plan.plan import ProductPlan
from platform_resources.promises.scores import Badge, CriterionScore
from platform_resources.services.showing.mesh_overview import MeshOverview


class ScoreData(TypedDict):
    """Six letters with their criteria; `advice` names criteria that would raise the score, best effort ratio first."""

    at: datetime
    total: int
    badge: Badge
    weakest: Letter
    capped: str
    letters: dict[Letter, int]
    criteria: list[CriterionScore]
    advice: list[str]
    history: list[PastScore]


def score_routes(router: APIRouter, shop: Shop) -> None:
    """Add the route of a product's score."""

    @router.get(
        "/products/{name}/score", responses=success(ScoreData), summary="A product's score in six letters, with the evidence of each"
    )
    def score(request: Request, name: str) -> Response:
        return shop.kept_answer(request, lambda view: _score(shop, view, product_named(view, name)))


def _score(shop: Shop, view: MeshOverview, product: ProductPlan) -> dict[str, Any]:
    with shop.market.ledger.reading() as connection:
        shown = grade(connection, view, product)
    if shown is None:
        raise Missing(f"{product.name} was not scored yet; an evaluation does that.")
    score = shown.score
    return {
        "at": shown.at,
        "total": score.total,
        "badge": score.badge,
        "weakest": score.weakest,
        "capped": shown.capped,
        "letters": score.letters,
        "criteria": [asdict(criterion) for criterion in score.criteria],
        "advice": [criterion.name for criterion in score.advice],
        "history": shown.history,
    }
