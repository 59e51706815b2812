"""The scores of products: the newest with its evidence, and the letters of former days."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from platform_resources.ledger.changes import note
from platform_resources.ledger.columns import EPOCH
from platform_resources.ledger.people_tables import newest_scores, scores
from platform_resources.ledger.upserts import upsert
from platform_resources.promises.scores import ProductScore, score_data, score_from


@dataclass(frozen=True, slots=True)
class KeptScore:
    """A product's newest score, when it was made, and what was tried for it, as JSON by what it is."""

    product: str
    at: datetime
    score: ProductScore
    tried: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PastScore:
    """The letters of a product at a moment."""

    at: datetime
    total: int
    badge: str
    letters: Mapping[str, int]


def kept_scores(connection: Connection, products: Collection[str] | None = None) -> dict[str, KeptScore]:
    """The newest score of these products, or of all; none of those that were never scored."""
    query = select(newest_scores)
    query = query.where(newest_scores.c.product.in_(products)) if products is not None else query
    rows = connection.execute(query).mappings()
    return {row["product"]: KeptScore(row["product"], row["at"], score_from(row["told"]), row["tried"]) for row in rows}


def newest_letters(connection: Connection) -> dict[str, PastScore]:
    """The letters of every product that was scored, without what they are made from."""
    table = newest_scores
    rows = connection.execute(select(table.c.product, table.c.at, table.c.total, table.c.badge, table.c.letters))
    return {row.product: PastScore(row.at, row.total, row.badge, row.letters) for row in rows}


def score_history(connection: Connection, product: str, since: datetime) -> tuple[PastScore, ...]:
    """The letters of a product, oldest first."""
    table = scores
    query = select(table.c.at, table.c.total, table.c.badge, table.c.letters).where(table.c.product == product, table.c.at >= since)
    return tuple(PastScore(**row) for row in connection.execute(query.order_by(table.c.at)).mappings())


def keep_scores(connection: Connection, new: Sequence[KeptScore], before: Mapping[str, KeptScore]) -> None:
    """Keep these scores. History gets those whose letters have changed, or that are the first of their day."""
    history = [kept for kept in new if _is_new(kept, before.get(kept.product))]
    upsert(connection, scores, [_row(kept) for kept in history], replaces=None)
    # What is told is written only when it says something else: pages are made anew then.
    changed = [kept for kept in new if _says_more(kept, before.get(kept.product)) or kept in history]
    rows = [{**_row(kept), "told": score_data(kept.score), "tried": dict(kept.tried)} for kept in changed]
    upsert(connection, newest_scores, rows, replaces=lambda row, old: row.at >= old.at)
    note(connection, dict.fromkeys((kept.product for kept in changed), EPOCH))


def _row(kept: KeptScore) -> dict[str, Any]:
    score = kept.score
    return {"product": kept.product, "at": kept.at, "total": score.total, "badge": score.badge, "letters": dict(score.letters)}


def _is_new(score: KeptScore, before: KeptScore | None) -> bool:
    return before is None or before.score.letters != score.score.letters or before.at.date() != score.at.date()


def _says_more(score: KeptScore, before: KeptScore | None) -> bool:
    return before is None or before.score != score.score or before.tried != score.tried
