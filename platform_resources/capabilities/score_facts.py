"""What a criterion of the score may know of a product, and what it says: what is declared, and what was seen of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from platform_resources.capabilities.judgements import Verdict
from platform_resources.capabilities.protocols import Assurance
from platform_resources.spec.agreements import DataSharingAgreement
from platform_resources.spec.components import DataProduct, DataSet
from platform_resources.spec.strict import Strict

Letter = Literal["discoverable", "addressable", "trustworthy", "self-describing", "interoperable", "secure"]
LETTERS: tuple[Letter, ...] = ("discoverable", "addressable", "trustworthy", "self-describing", "interoperable", "secure")
# How much work it is to raise a criterion: some words of YAML, an hour or so, or work that takes days.
Effort = Literal[1, 2, 5]


@dataclass(frozen=True, slots=True)
class Promised:
    """One objective: what it vouches for, which columns it is about, and what it said last.

    `can_fail` is whether bad data make it fail, as was tried; None where that cannot be tried.
    """

    title: str
    dimension: str
    data_set: str
    vouches_for: frozenset[Assurance]
    columns: tuple[str, ...]
    verdict: Verdict
    at: datetime | None
    can_fail: bool | None = None


@dataclass(frozen=True, slots=True)
class Ran:
    """A sample query that was run as a consumer would: how many rows it gave, or why it gave none."""

    rows: int = 0
    error: str = ""

    @property
    def well(self) -> bool:
        """A query without rows shows nothing."""
        return not self.error and self.rows > 0


@dataclass(frozen=True, slots=True)
class Documented:
    """What became of the product as a document of a standard: errors by its schema, and whether it came back as it was."""

    errors: tuple[str, ...] = ()
    lossless: bool = False


@dataclass(frozen=True, slots=True)
class Hidden:
    """A column whose values are not to be told: whether its class or an agreement says how others see it, and who sees it in the clear."""

    column: str
    open_to_others: bool
    roles_in_clear: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Consumed:
    """Somebody who reads the product, and whether a grant with a purpose lets them now; `why_not` is empty if one does."""

    name: str
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Attained:
    """One indicator: its state, and its percentage with the target, if both are known."""

    title: str
    state: str
    percent: float | None = None
    target: float | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """How fast incidents of the last 90 days were acknowledged and fixed (medians), and since when the product runs."""

    incidents: int
    respond: timedelta | None
    fix: timedelta | None
    running_since: datetime | None


@dataclass(frozen=True, slots=True)
class ScoreFacts:
    """One product at a moment. Whatever is None, or not in a mapping, was not seen: nothing may be claimed of it.

    By port: `readable` has an empty text or the error, `addresses` where its newest version is, `formats` how it is written. By data set:
    `observed` has the columns of the newest version. `traced` has of each input port whether the newest version cites what it was made
    from. `joined` has by column the share of values that their identifier's owner knows, `unclassified` the columns that look personal and
    are not so classified, `not_iso` those of codes that hold something else. `overdue_versions` are older than their retention.
    """

    now: datetime
    product: str
    title: str
    domain: str
    info: DataProduct
    owners: tuple[str, ...] = ()
    data_sets: Mapping[str, DataSet] = field(default_factory=dict)
    agreements: tuple[DataSharingAgreement, ...] = ()
    terms: frozenset[str] = frozenset()
    search_words: str = ""
    search_place: int | None = None
    published_at: datetime | None = None
    product_version: str = ""
    readable: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[str, ...] = ()
    addresses: Mapping[str, str] = field(default_factory=dict)
    formats: Mapping[str, str] = field(default_factory=dict)
    file_ports: tuple[str, ...] = ()
    replacement: str | None = None
    former_majors: Mapping[int, bool] | None = None
    promises: tuple[Promised, ...] = ()
    attained: tuple[Attained, ...] = ()
    coverage: float | None = None
    inputs: tuple[str, ...] = ()
    traced: Mapping[str, bool] | None = None
    answered: Answered | None = None
    schedule: timedelta | None = None
    observed: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    verified_keys: Mapping[str, Verdict] = field(default_factory=dict)
    queries: Mapping[str, Ran] = field(default_factory=dict)
    sample_queries: tuple[str, ...] = ()
    documents: Mapping[str, Documented] = field(default_factory=dict)
    identifiers: Mapping[str, str] = field(default_factory=dict)
    joined: Mapping[str, float] = field(default_factory=dict)
    not_iso: tuple[str, ...] | None = None
    undeclared_majors: tuple[str, ...] | None = None
    unclassified: tuple[str, ...] | None = None
    hidden: tuple[Hidden, ...] = ()
    leaks: tuple[str, ...] | None = None
    consumed: tuple[Consumed, ...] = ()
    overdue_versions: tuple[str, ...] | None = None
    retention: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What a criterion says: the share of its points from 0 to 1, what is declared, and what was seen.

    Without evidence (`share` None) it counts as 0, and `evidence` says what would give some.
    """

    share: float | None
    declared: str
    evidence: str


def none_yet(declared: str, what_would: str) -> Finding:
    """There is no evidence, whatever is declared."""
    return Finding(None, declared, what_would)


def share_of(good: int, total: int) -> float:
    """A share of nothing is 0."""
    return good / total if total else 0.0


class NothingToScore(Strict):
    """A criterion has nothing to set."""


class Criterion:
    """One criterion of the score; inherit from it, say its letter and points, and look at the facts in `finding`.

    `points` are of the hundred of its letter: where a package adds some, all of the letter weigh less. `raised_by` says what to do.
    """

    name: str
    letter: Letter
    points: int
    effort: Effort = 2
    raised_by: str = ""
    config: type[Strict] = NothingToScore
    example: str = ""

    def finding(self, facts: ScoreFacts) -> Finding:
        """What is found, from the facts alone."""
        raise NotImplementedError
