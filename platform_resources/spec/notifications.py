"""Fields that say who gets which message: channels, routes, quiet hours, the digest, and when a failure becomes an incident."""

import re
from datetime import timedelta
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from platform_resources.spec.strict import Strict
from platform_resources.spec.values.channel_urls import url_problem
from platform_resources.spec.values.durations import duration, duration_text
from platform_resources.spec.values.field_types import Duration, Text, TimeZone
from platform_resources.spec.values.names import NAME, is_name

Audience = Literal["owner", "subscriber"]
Severity = Literal["low", "medium", "high", "critical"]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
OWNERS = "owners"
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_MINUTES_OF_A_DAY = 24 * 60


def _clock(value: Any) -> str:
    """YAML 1.1 reads 20:00 without quotes as a number to the base of 60: 1200."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MINUTES_OF_A_DAY:
        meant = f"{value // 60:02}:{value % 60:02}"
        raise ValueError(f'{value} is a number to YAML, which takes 20:00 for 1200; write the time in quotes: "{meant}"')
    if not isinstance(value, str) or not _CLOCK.fullmatch(value):
        raise ValueError(f'"{value}" is not a time of day; write hours and minutes in quotes, from "00:00" to "23:59"')
    return value


def _clock_or_midnight(value: Any) -> str:
    return "24:00" if value in ("24:00", _MINUTES_OF_A_DAY) else _clock(value)


def _url(text: str) -> str:
    problem = url_problem(text)
    if problem is not None:
        raise ValueError(*problem)
    return text


def _channel_name(text: str) -> str:
    if not is_name(text):
        raise ValueError(f'"{text}" is not a channel name; use lower case letters, digits and _, beginning with a letter')
    if text == OWNERS:
        raise ValueError(f"a channel may not be called {OWNERS}: the word means the e-mail addresses among the owners")
    return text


def _target(text: str) -> str:
    """Which channels there are is for the whole mesh to say; a URL is never one, and may hold a secret."""
    if "://" in text:
        raise ValueError("a channel is named here, not its URL", "write the URL under channels in domain.yaml, and its name here")
    return text


def _duration_or_never(value: Any) -> Any:
    if value in ("never", None):
        return None
    if not isinstance(value, (str, timedelta)):
        raise ValueError(f"{value!r} has no unit; write a duration such as 4h or 1d, or never")
    return duration(value) if isinstance(value, str) else value


def _or_never(length: timedelta | None) -> str:
    return "never" if length is None else duration_text(length)


_CLOCK_SCHEMA = WithJsonSchema({"type": "string", "pattern": f"^{_CLOCK.pattern}$", "examples": ["08:00"]})
_MIDNIGHT_SCHEMA = WithJsonSchema({"type": "string", "pattern": f"^({_CLOCK.pattern}|24:00)$", "examples": ["07:00"]})
_NEVER_SCHEMA = WithJsonSchema({"type": "string", "pattern": r"^(\s*\d+(\.\d+)?\s*[smhdw]\s*|never)$", "examples": ["1d", "never"]})
Clock = Annotated[str, BeforeValidator(_clock), _CLOCK_SCHEMA]
ClockOrMidnight = Annotated[str, BeforeValidator(_clock_or_midnight), _MIDNIGHT_SCHEMA]
DurationOrNever = Annotated[timedelta | None, BeforeValidator(_duration_or_never), PlainSerializer(_or_never), _NEVER_SCHEMA]
ChannelName = Annotated[Text, AfterValidator(_channel_name), Field(json_schema_extra={"pattern": NAME.pattern})]
ChannelTarget = Annotated[Text, AfterValidator(_target)]
Count = Annotated[int, Field(ge=1, le=100)]


class Channel(Strict):
    """Where messages go: an Apprise URL in which `${NAME}` stands for a variable of the environment, as every secret must."""

    url: Annotated[Text, AfterValidator(_url)]
    description: str = ""


class QuietTimes(Strict):
    """Hours in which only critical messages are sent. An end before the start is on the next day; `days` are those on which the hours
    begin.
    """

    from_: Clock = Field(alias="from")
    to: ClockOrMidnight
    timezone: TimeZone = "UTC"
    days: Annotated[tuple[Weekday, ...], Field(min_length=1)] = WEEKDAYS

    @field_validator("to")
    @classmethod
    def _takes_time(cls, to: str, info: ValidationInfo) -> str:
        if to == info.data.get("from_"):
            raise ValueError(f'quiet hours from {to} to {to} are none; a whole day is from "00:00" to "24:00"')
        return to

    @model_validator(mode="after")
    def _are_not_always(self) -> "QuietTimes":
        if (self.from_, self.to) == ("00:00", "24:00") and set(self.days) == set(WEEKDAYS):
            raise ValueError("hours that are quiet all day, every day, never end", "name the days, or take the route away")
        return self


class Route(Strict):
    """Which messages go to which channel.

    `channel` is a channel of the own domain, one of another domain as `<domain>.<channel>`, an e-mail address, or the word owners.
    """

    channel: ChannelTarget
    for_: Audience = Field(default="owner", alias="for")
    severity: Severity = "low"
    quiet_hours: QuietTimes | None = None


class Digest(Strict):
    """One message a day that sums up the domain."""

    channel: ChannelTarget
    at: Clock = "08:00"
    timezone: TimeZone = "UTC"

    @field_validator("channel")
    @classmethod
    def _is_one(cls, channel: str) -> str:
        if channel == OWNERS:
            raise ValueError("a digest goes to one channel; write a channel's name or an e-mail address")
        return channel


class Incidents(Strict):
    """When failures become an incident (after `bad` of the last `of` readings, until `good` in a row), and when people are told."""

    wait: Duration = timedelta(minutes=20)
    renotify: DurationOrNever = timedelta(days=1)
    bad: Count = 1
    of: Count | None = None
    good: Count = 1
    cooldown: Duration = timedelta(days=1)
    settle: Duration = timedelta(hours=6)

    @field_validator("of")
    @classmethod
    def _can_be(cls, of: int | None, info: ValidationInfo) -> int | None:
        bad = info.data.get("bad")
        if bad is not None and impossible(bad, of):
            raise ValueError(f"{bad} of {of} readings can never be bad; write 1 <= bad <= of")
        return of

    def over(self, other: "Incidents") -> "Incidents":
        """These settings, with fields that are not written taken from `other`."""
        return other.model_copy(update={field: getattr(self, field) for field in self.model_fields_set})


def impossible(bad: int, of: int | None) -> bool:
    """Whether a rule can never be fulfilled, because `bad` is more than `of`. Without `of`, it equals `bad`."""
    return of is not None and of < bad
