"""The gate between audit and publication, kept in the product's database: closed from the moment of a build until an audit opens it."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from platform_resources.warehouses.auditing import Audited
from platform_resources.warehouses.duckdb import ProductDatabase

_TOPIC, _NAME = "gate", "candidate"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One objective in short, as the scorecard shows it."""

    title: str
    dimension: str
    verdict: str
    reason: str


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether the candidate may be published, why not, and the verdicts of its audit."""

    open: bool
    reason: str
    verdicts: tuple[Verdict, ...] = ()


def decided(audited: Iterable[Audited]) -> Gate:
    """Open exactly if every gating objective is met; unknown is not met."""
    audited = tuple(audited)
    shut = [f"{a.objective.check.title}: {a.judgement.reason}" for a in audited if a.closes_gate]
    verdicts = tuple(Verdict(a.objective.check.title, a.objective.dimension, a.judgement.verdict, a.judgement.reason) for a in audited)
    return Gate(not shut, "; ".join(shut), verdicts)


def gate(database: ProductDatabase) -> Gate:
    """The gate as it is; closed where nothing was ever audited."""
    record = database.remembered(_TOPIC).get(_NAME)
    if record is None:
        return Gate(False, "nothing was built and audited yet")
    data = json.loads(record)
    return Gate(data["open"], data["reason"], tuple(Verdict(**verdict) for verdict in data["verdicts"]))


def set_gate(database: ProductDatabase, new: Gate) -> None:
    database.remember(_TOPIC, _NAME, json.dumps(asdict(new)))
