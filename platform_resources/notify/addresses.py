"""Resolve the address of a channel: its URL, with secrets filled in from the environment."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from platform_resources.notify.apprise_services import is_known, listening, reason, scheme, service, with_arguments
from platform_resources.plan.routes import ChannelPlan
from platform_resources.redaction.redaction import masked, parts, url_secrets
from platform_resources.settings import MAIL
from platform_resources.spec.problems import did_you_mean, known_text
from platform_resources.spec.values.channel_urls import VARIABLE

__all__ = ["ChannelUnusable", "address", "masked", "secrets"]

_MAIL_EXAMPLE = "mailto://mail.example.com:25/?from=mesh@example.com"
_MAIL_SCHEMES = ("mailto", "mailtos")
# Apprise takes commas, blanks and semicolons between several recipients.
_PERSON = re.compile(r'[^\s@,;<>"()]+@[^\s@,;<>"()]+')


class ChannelUnusable(Exception):
    """Raised for a channel without an address that Apprise can use; says what to set, and shows no secret."""


def address(channel: str, channels: Mapping[str, ChannelPlan], environment: Mapping[str, str]) -> str:
    """The Apprise URL of a channel, or of an e-mail address through MESH_MAIL. Contains secrets. Raises ChannelUnusable."""
    url = _mail_url(channel, environment) if "@" in channel else _filled(_known(channel, channels), environment)
    hidden = secrets(channel, channels, environment)
    with listening() as heard:
        if not is_known(scheme(url)):
            raise ChannelUnusable(_no_service(channel, channels))
        known = service(url)
    if known is None:
        raise ChannelUnusable(masked(f"{_named(channel)} cannot be used: {reason(heard)}", hidden))
    return url


def missing(channel: str, channels: Mapping[str, ChannelPlan], environment: Mapping[str, str]) -> str:
    """Why the channel cannot be used; empty if it can."""
    try:
        address(channel, channels, environment)
    except ChannelUnusable as error:
        return str(error)
    return ""


def refuse_unknown(channel: str, channels: Mapping[str, ChannelPlan]) -> None:
    """Raises ChannelUnusable where this is neither a channel of the mesh nor an e-mail address."""
    if "@" not in channel:
        _known(channel, channels)
    elif not _PERSON.fullmatch(channel):
        raise ChannelUnusable(f'"{channel}" is no e-mail address')


def secrets(channel: str, channels: Mapping[str, ChannelPlan], environment: Mapping[str, str]) -> frozenset[str]:
    """Texts that no message about this channel may contain: values of its variables, and passwords."""
    if "@" in channel:
        return url_secrets(MAIL.value(environment))
    plan = channels.get(channel)
    if plan is None:
        return frozenset()
    values = (_value(name, environment) for name in variables(plan))
    return frozenset().union(url_secrets(VARIABLE.sub("", plan.url)), *(parts(value) for value in values if value))


def variables(channel: ChannelPlan) -> tuple[str, ...]:
    """The environment variables in the channel's URL."""
    return tuple(dict.fromkeys(VARIABLE.findall(channel.url)))


def _value(name: str, environment: Mapping[str, str]) -> str:
    """Without the line's end that a value read from a file brings along."""
    return environment.get(name, "").strip()


def _known(channel: str, channels: Mapping[str, ChannelPlan]) -> ChannelPlan:
    if channel in channels:
        return channels[channel]
    hint = did_you_mean(channel, channels)
    raise ChannelUnusable(f'no channel "{channel}"; known: {known_text(channels)}' + (f"\n{hint}" if hint else ""))


def _filled(channel: ChannelPlan, environment: Mapping[str, str]) -> str:
    missing = [name for name in variables(channel) if not _value(name, environment)]
    if missing:
        names = f"variable {missing[0]}, which is" if len(missing) == 1 else f"variables {', '.join(missing)}, which are"
        raise ChannelUnusable(f"{_named(channel.name)} needs the environment {names} not set")
    for name in variables(channel):
        _refuse_bytes(_named(channel.name), name, environment)
    return VARIABLE.sub(lambda match: _value(match.group(1), environment), channel.url)


def _refuse_bytes(named: str, name: str, environment: Mapping[str, str]) -> None:
    """Python takes bytes that are no UTF-8 for lone surrogates, which no address can hold."""
    try:
        _value(name, environment).encode()
    except UnicodeEncodeError:
        raise ChannelUnusable(f"{named} cannot be used: the environment variable {name} holds bytes that are no text in UTF-8") from None


def _mail_url(person: str, environment: Mapping[str, str]) -> str:
    refuse_unknown(person, {})
    server = MAIL.value(environment)
    if not server:
        advice = f"write the mail server into it, such as {_MAIL_EXAMPLE}"
        raise ChannelUnusable(f"e-mail needs the environment variable {MAIL.name}, which is not set; {advice}")
    _refuse_bytes(_named(person), MAIL.name, environment)
    if scheme(server) not in _MAIL_SCHEMES:
        raise ChannelUnusable(f"{MAIL.name} is no mail server; write mailto:// or mailtos://, such as {_MAIL_EXAMPLE}")
    if _has_recipient(server):
        raise ChannelUnusable(f"{MAIL.name} names a recipient; leave it out, such as {_MAIL_EXAMPLE}")
    return with_arguments(server, {"to": person})


def _has_recipient(server: str) -> bool:
    """Apprise sends to those in the path, and to those in `to`."""
    try:
        split = urlsplit(server)
    except ValueError:
        return False
    return bool(split.path.strip("/")) or any(part.lower().startswith("to=") for part in split.query.split("&"))


def _no_service(channel: str, channels: Mapping[str, ChannelPlan]) -> str:
    """Names the scheme only if the spec does: what a variable holds is a secret, whatever it looks like."""
    written = scheme(channels[channel].url)
    if not written or "$" in written:
        return f"{_named(channel)} cannot be used: its URL, once filled in, names no service that Apprise knows"
    return f'{_named(channel)} cannot be used: Apprise knows no service "{written}://"'


def _named(channel: str) -> str:
    return f"e-mail to {channel}" if "@" in channel else f"channel {channel}"
