"""The gate between audit and publication, kept in the product's database: closed from the moment of a pull until an audit opens it."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from platform_resources.warehouses.auditing import Audited
from platform_resources.warehouses.duckdb import ProductDatabase

_TOPIC, _NAME, _UNBUILT = "gate", "candidate", "unbuilt"


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


def decided(audited: Iterable[Audited], unbuilt: str = "") -> Gate:
    """Open exactly if the build went well and every gating objective is met; unknown is not met."""
    audited = tuple(audited)
    shut = [unbuilt] if unbuilt else []
    shut += [f"{a.objective.check.title}: {a.judgement.reason}" for a in audited if a.closes_gate]
    verdicts = tuple(Verdict(a.objective.check.title, a.objective.dimension, a.judgement.verdict, a.judgement.reason) for a in audited)
    return Gate(not shut, "; ".join(shut), verdicts)


def gate(database: ProductDatabase) -> Gate:
    """The gate as it is; closed where nothing was ever audited."""
    record = database.remembered(_TOPIC).get(_NAME)
    if record is None:
        return Gate(False, "nothing was built and audited yet")
    data = json.loads(record)
    return Gate(data["open"], data["reason"], tuple(Verdict(**verdict) for verdict in data["verdicts"]))


def close(database: ProductDatabase, reason: str) -> None:
    """No audit opens the gate before a build has gone well: what it would look at is not made from what was pulled."""
    set_gate(database, Gate(False, reason))
    set_unbuilt(database, reason)


def unbuilt(database: ProductDatabase) -> str:
    """Why the models are not what an audit may open the gate for; empty after a build that went well."""
    return database.remembered(_TOPIC).get(_UNBUILT, "nothing was built yet")


def set_unbuilt(database: ProductDatabase, reason: str) -> None:
    database.remember(_TOPIC, _UNBUILT, reason)


def set_gate(database: ProductDatabase, new: Gate) -> None:
    database.remember(_TOPIC, _NAME, json.dumps(asdict(new)))
