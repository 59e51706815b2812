"""Whether an objective is met, missed or unknown, from its readings."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from platform_resources.capabilities.judgements import Judgement, Moment, Promise
from platform_resources.capabilities.measures import Reading, Subject
from platform_resources.capabilities.protocols import Dimension
from platform_resources.plan.check_plans import ObjectivePlan
from platform_resources.promises.learned.learning import with_learned


def objective_judged(dimension: Dimension, objective: ObjectivePlan, readings: Mapping[str, Reading], moment: Moment) -> Judgement:
    """The verdict on an objective. Of one with two thresholds that of the error is looked at first; unknown is an error too."""
    if objective.error_settings is None:
        return judged(dimension, objective.settings, readings, objective.subject, moment)
    judgement = judged(dimension, objective.error_settings, readings, objective.subject, moment)
    if judgement.verdict != "met":
        return replace(judgement, severity="error")
    return replace(judged(dimension, objective.settings, readings, objective.subject, moment), severity="warning")


def judged(dimension: Dimension, settings: Any, readings: Mapping[str, Reading], subject: Subject, moment: Moment) -> Judgement:
    """The dimension's verdict; unknown, with the reason, if a reading that it needs failed or is not there."""
    judgement = _judged(dimension, settings, readings, subject, moment)
    promised = judgement if judgement.promise != Promise() else replace(judgement, promise=dimension.promise(settings, moment))
    return with_learned(promised, moment)


def _judged(dimension: Dimension, settings: Any, readings: Mapping[str, Reading], subject: Subject, moment: Moment) -> Judgement:
    for name in dimension.measures(settings, subject):
        if name not in readings:
            return Judgement("unknown", f"{name} was not measured")
        if readings[name].error is not None:
            return Judgement("unknown", f"{name} could not be measured: {readings[name].error}")
    return dimension.judge(settings, readings, subject, moment)
