"""How much depends on a product, from 0 to 100: the key asset score, after its reads, users, downstream use and regular updates.

The table in docs/finding.md says the same. Counts are compared with the largest in the product's group, on a logarithmic scale, so that one
product that is read every minute does not make all others look unused.
"""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

UNUSED_AFTER = timedelta(days=14)
# A group of fewer tells nothing; its products are compared with all of the mesh.
SMALLEST_GROUP = 5
READS, USERS, DOWNSTREAM, UPDATES = 30, 30, 25, 15
_Most = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class AssetUse:
    """What is known of the use of one product. `group` names what it is compared with.

    `reads` and `users` are those of the last 30 days that the platform sees; `downstream` counts products and known consumers behind it.
    """

    group: str
    reads: int
    users: int
    downstream: int
    last_read_at: datetime | None
    updates: tuple[datetime, ...]


@dataclass(frozen=True, slots=True)
class KeyAssetScore:
    """The score, and what each part has added to it. An unread product has 0, whatever else there is."""

    score: int
    reads: float = 0.0
    users: float = 0.0
    downstream: float = 0.0
    updates: float = 0.0
    unread: bool = False


def key_asset_scores(uses: Mapping[str, AssetUse], now: datetime) -> dict[str, KeyAssetScore]:
    """The score of every product of the mesh."""
    groups: dict[str, list[AssetUse]] = {}
    for use in uses.values():
        groups.setdefault(use.group, []).append(use)
    everybody = _most(uses.values())
    most = {group: _most(members) if len(members) >= SMALLEST_GROUP else everybody for group, members in groups.items()}
    return {name: _score(use, most[use.group], now) for name, use in uses.items()}


def _most(uses: Iterable[AssetUse]) -> _Most:
    """The most reads, users and what lies downstream of any of them."""
    counts = [(use.reads, use.users, use.downstream) for use in uses]
    reads, users, downstream = (max(column) for column in zip(*counts, strict=True)) if counts else (0, 0, 0)
    return reads, users, downstream


def _score(use: AssetUse, most: _Most, now: datetime) -> KeyAssetScore:
    if use.last_read_at is None or now - use.last_read_at > UNUSED_AFTER:
        return KeyAssetScore(0, unread=True)
    reads = READS * _share(use.reads, most[0])
    users = USERS * _share(use.users, most[1])
    downstream = DOWNSTREAM * _share(use.downstream, most[2])
    updates = UPDATES * regularity(use.updates)
    return KeyAssetScore(round(reads + users + downstream + updates), reads, users, downstream, updates)


def _share(count: int, most: int) -> float:
    return math.log1p(count) / math.log1p(most) if most else 0.0


def regularity(updates: Sequence[datetime]) -> float:
    """How regular updates come, from 0 to 1: 1/(1+v), v the coefficient of variation of the times between them; 0 with fewer than three."""
    between = [(later - earlier).total_seconds() for earlier, later in pairwise(sorted(updates))]
    mean = statistics.fmean(between) if len(between) > 1 else 0.0
    return 1 / (1 + statistics.pstdev(between) / mean) if mean else 0.0
