"""Whether an objective is met, missed or unknown, from its readings."""

from collections.abc import Mapping
from typing import Any

from platform_resources.capabilities.judgements import Judgement, Moment
from platform_resources.capabilities.measures import Reading, Subject
from platform_resources.capabilities.protocols import Dimension
from platform_resources.objectives.learning import with_learned


def judged(dimension: Dimension, settings: Any, readings: Mapping[str, Reading], subject: Subject, moment: Moment) -> Judgement:
    """The dimension's verdict; unknown, with the reason, if a reading that it needs failed or is not there."""
    for name in dimension.measures(settings, subject):
        if name not in readings:
            return Judgement("unknown", f"{name} was not measured")
        if readings[name].error is not None:
            return Judgement("unknown", f"{name} could not be measured: {readings[name].error}")
    return with_learned(dimension.judge(settings, readings, subject, moment), moment)
