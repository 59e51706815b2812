"""The dimension `availability`."""

import math
from collections.abc import Mapping
from datetime import timedelta

from pydantic import field_validator

from platform_resources.capabilities.judgements import Judgement, Moment, Promise
from platform_resources.capabilities.measures import Reading, Subject
from platform_resources.capabilities.protocols import LONGEST_PROBE, NotAudited, Quotes, WhatFails
from platform_resources.capabilities.support.shares import amount, counted
from platform_resources.spec.strict import Strict
from platform_resources.spec.values.durations import duration_text
from platform_resources.spec.values.field_types import Duration, Text


class AvailabilitySettings(Strict):
    """How long an answer may take, and of which output port; of every port of the data set if left out."""

    within: Duration = timedelta(seconds=10)
    port: Text | None = None

    @field_validator("within")
    @classmethod
    def _is_worth_waiting_for(cls, within: timedelta) -> timedelta:
        """One port that hangs holds up the evaluation of the others for so long."""
        if within > LONGEST_PROBE:
            raise ValueError(f"{duration_text(within)} is too long to wait for an answer; write at most {duration_text(LONGEST_PROBE)}")
        return within


class Availability(NotAudited):
    """Whether consumers can read the newest published version: real rows, from each output port of the data set, within a time.

    Looked at between refreshes, as a consumer would: the files, for SQL ports also the catalog, the address of a
    service. Nothing published is unknown before the first publication, and missed after it.
    """

    name = "availability"
    config = AvailabilitySettings
    measured_by = "probe"
    failure: WhatFails = "access"
    breaks = True
    predicate = "cannot be reached reliably"
    quotes: Quotes = "times"
    example = """
- name: Customers can be read
  type: service-level-asset
  properties: {dimension: availability, data_set: customers, within: 10s}
- name: The file of customers can be read
  type: service-level-asset
  properties: {dimension: availability, port: customers_file, within: 30s}
"""

    def port(self, settings: AvailabilitySettings) -> str:
        return settings.port or ""

    def within(self, settings: AvailabilitySettings) -> timedelta:
        return settings.within

    def promise(self, settings: AvailabilitySettings, moment: Moment) -> Promise:
        return Promise("s", at_most=settings.within.total_seconds())

    def judge(self, settings: AvailabilitySettings, readings: Mapping[str, Reading], subject: Subject, moment: Moment) -> Judgement:
        promised = f"an answer within {duration_text(settings.within)}"
        port, rows, seconds = readings["port"].value, readings["rows"], readings["seconds"].value
        if rows.error is not None:
            return Judgement("missed", f"{port} could not be read: {rows.error}; {promised} promised", threshold=promised)
        if readings["seconds"].error is not None:
            return Judgement("unknown", f"{port} could not be probed: {readings['seconds'].error}", threshold=promised)
        if rows.value is None:
            reason = f"{port} was never published yet, so there is nothing to read"
            return Judgement("unknown", reason, threshold=promised, learning=True)
        if not isinstance(seconds, (int, float)):
            raise ValueError(f'the reading "seconds" holds {seconds!r}, which is no time')
        shown = f"{math.ceil(seconds * 100) / 100:g} s"
        answered = f'said "{rows.value}"' if isinstance(rows.value, str) else f"gave {amount(counted(readings, 'rows'))} in {shown}"
        reason = f"{port} {answered}; {promised} promised"
        return Judgement("met" if seconds <= settings.within.total_seconds() else "missed", reason, seconds, promised, shown=shown)


CAPABILITY = Availability()
