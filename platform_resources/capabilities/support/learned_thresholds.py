"""How a specification asks for a threshold that is learned, and how a dimension asks for the judgement of it."""

from collections.abc import Iterable, Set
from dataclasses import replace
from typing import Annotated, Any, Protocol, get_args

from pydantic import BeforeValidator, Field

from platform_resources.capabilities.judgements import Judgement, Kind, Moment, Past, Promise, ToLearn
from platform_resources.spec.strict import Strict
from platform_resources.spec.values.field_types import Percent


class LearnedSettings(Strict):
    """How far from what is usual a value may lie: so many standard deviations, and more than so many percent."""

    sensitivity: Annotated[float, Field(gt=0, le=8)] = 2.8
    minimum_effect: Percent | None = None


def _settings(written: Any) -> Any:
    match written:
        case bool():
            return {} if written else None
        case str() if written.strip().lower() in ("yes", "true", "no", "false"):
            return {} if written.strip().lower() in ("yes", "true") else None
        case dict() | None | LearnedSettings():
            return written
        case _:
            raise ValueError(f'"{written}" is not a way to learn; write learned: true, or learned: {{sensitivity: 3, minimum_effect: 10}}')


# `learned: true`, or a group of fields.
LearnedThreshold = Annotated[LearnedSettings | None, BeforeValidator(_settings, json_schema_input_type=bool | LearnedSettings | None)]


def to_learn(settings: LearnedSettings | None, kind: Kind, value: float, what: str = "", rows: int | None = None) -> ToLearn | None:
    """What is to be held against history; nothing where that was not asked for. `value` of a share is from 0 to 1."""
    return None if settings is None else ToLearn(kind, value, settings.sensitivity, settings.minimum_effect, what, rows)


class ShareSettings(Protocol):
    """Settings that promise a percentage of rows, and may hold it against what was usual."""

    @property
    def at_least(self) -> float:
        """The least percentage of rows that is promised."""

    @property
    def learned(self) -> LearnedSettings | None:
        """How the share is held against history, if it is."""

    @property
    def model_fields_set(self) -> Set[str]:
        """The fields that are written."""


def promised(settings: ShareSettings) -> float:
    """The percentage that is promised; with `learned` there is one only if it is written."""
    return settings.at_least if settings.learned is None or "at_least" in settings.model_fields_set else 0.0


def promised_share(settings: ShareSettings) -> Promise:
    """The percentage as a promise in numbers; none where only what is usual counts."""
    return Promise("%", promised(settings) or None)


def as_usual(settings: ShareSettings, judgement: Judgement, what: str, moment: Moment) -> Judgement:
    """The judgement of a share, with the share that fails to be held against those before; `what` the rows are that fail.

    An empty table has no share to learn from.
    """
    if settings.learned is None:
        return judgement
    worded = judgement if promised(settings) else replace(judgement, reason=judgement.reason.rpartition("; ")[0], threshold="")
    if judgement.failing_rows is None or not judgement.rows:
        return replace(worded, reason=judgement.reason, threshold=", ".join(filter(None, (worded.threshold, "as usual"))))
    learn = to_learn(settings.learned, "share", judgement.failing_rows / judgement.rows, what, judgement.rows)
    return replace(worded, learn=replace(learn, past=tuple(failing_shares(moment.history.past))) if learn is not None else None)


def failing_shares(past: Iterable[Past]) -> Iterable[Past]:
    """Readings of a share, which are percentages of what is good, as shares from 0 to 1 of what is not."""
    return (Past(one.at, max(0.0, 1 - one.value / 100), one.failing_rows) for one in past)


def is_learned(settings: Strict) -> bool:
    """Whether a threshold is learned, whatever its field is called."""
    return any(isinstance(value, LearnedSettings) for _, value in settings)


def can_learn(settings: Strict) -> bool:
    """Whether a dimension with such settings knows thresholds that are learned."""
    return any(LearnedSettings in get_args(field.annotation) for field in type(settings).model_fields.values())
