"""How a specification asks for a threshold that is learned, and how a dimension asks for the judgement of it."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from platform_resources.capabilities.judgements import Kind, ToLearn
from platform_resources.spec.field_types import Percent
from platform_resources.spec.strict import Strict


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
