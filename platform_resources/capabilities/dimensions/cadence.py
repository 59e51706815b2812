"""The dimension `cadence`."""

from collections.abc import Mapping
from datetime import timedelta

from pydantic import model_validator

from platform_resources.capabilities.judgements import Judgement, Kind, Moment, Promise
from platform_resources.capabilities.measures import Reading, Subject
from platform_resources.capabilities.protocols import NotAudited, Quotes, WhatFails
from platform_resources.capabilities.support.learned_thresholds import LearnedSettings, LearnedThreshold, to_learn
from platform_resources.spec.strict import Strict
from platform_resources.spec.values.durations import length_text


class CadenceSettings(Strict):
    """How often versions come is learned; there is nothing else to promise. An age that is promised is `freshness`."""

    learned: LearnedThreshold = LearnedSettings()

    @model_validator(mode="after")
    def _is_learned(self) -> "CadenceSettings":
        if self.learned is None:
            raise ValueError("a cadence is always learned; write learned: true, or promise an age with dimension: freshness and max_age")
        return self


class Cadence(NotAudited):
    """Freshness that is learned: the next version of the product with newer data is published when it usually is.

    About the product as a whole, so without a `data_set`. How long after a version the next one comes is learned from the gaps between
    earlier ones that began at the same hour of the week, else of the day, in the product's time zone. The gap since the newest such version
    is judged at every evaluation: once it is longer than is usual then, the promise is missed, until newer data is published.
    """

    name = "cadence"
    config = CadenceSettings
    measured_by = "history"
    failure: WhatFails = "lateness"
    predicate = "is not fresh"
    quotes: Quotes = "times"
    example = """
- name: Published as often as usual
  type: service-level-asset
  properties: {dimension: cadence, learned: true}
"""

    def learned_kind(self, settings: CadenceSettings) -> Kind:
        return "gap"

    def promise(self, settings: CadenceSettings, moment: Moment) -> Promise:
        return Promise("s")

    def judge(self, settings: CadenceSettings, readings: Mapping[str, Reading], subject: Subject, moment: Moment) -> Judgement:
        if not moment.publications:
            return Judgement("unknown", "no version was published yet", threshold="as usual", learning=True)
        newest = max(moment.publications)
        waited = max((moment.now - newest).total_seconds(), 0.0)
        shown = length_text(timedelta(seconds=waited))
        return Judgement(
            "met", f"the newest data was published {shown} ago", waited, learn=to_learn(settings.learned, "gap", waited), shown=shown
        )


CAPABILITY = Cadence()
