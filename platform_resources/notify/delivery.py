"""Send one message to one address within a time limit, or raise with the receiver's reason."""

import urllib.request
from collections.abc import Callable, Collection
from contextvars import copy_context
from datetime import timedelta
from http.client import HTTPException
from logging import LogRecord
from threading import Thread
from typing import TypeVar, assert_never
from urllib.parse import quote

from platform_resources.incidents.messages import Message, MessageKind
from platform_resources.notify.apprise_services import LONGEST_REASON, listening, reason, service, with_arguments
from platform_resources.redaction.redaction import Mask, url_secrets

KEY_HEADER = "X-Mesh-Message"
LIMIT = timedelta(seconds=20)
# What a web server raises that gives no answer.
UNREACHED = (OSError, ValueError, HTTPException)
Done = TypeVar("Done")


class DeliveryFailed(Exception):
    """Raised if a message was not accepted; gives the receiver's or Apprise's reason without secrets."""


def send(url: str, message: Message, secrets: Collection[str], limit: timedelta = LIMIT) -> None:
    """Send the message to this Apprise URL. Raises DeliveryFailed, after `limit` at the latest.

    A receiver that is still silent then may have taken it, or take it later: the key, which each message carries where the service
    has room for it, tells that a repetition is one.
    """
    with listening() as heard:
        outcome = within_limit(limit, lambda: _notify(url, message, limit))
    if outcome is not True:
        hide = Mask(frozenset({*secrets, *url_secrets(url)}))
        raise DeliveryFailed(_shortened(hide(_why(outcome, heard, limit))))


def within_limit(limit: timedelta, work: Callable[[], Done]) -> Done | Exception | None:
    """The result of the work, or its exception; None after the time limit.

    A thread of its own, which no end of the process waits for: a limit of a socket holds for each wait and not for their sum, so whoever
    answers letter by letter would keep all others waiting. Apprise's pool of threads is full after a few receivers that never end.
    """
    outcomes: list[Done | Exception] = []

    def _run() -> None:
        try:
            outcomes.append(work())
        except Exception as error:  # whatever a service raises is its reason
            outcomes.append(error)

    thread = Thread(target=copy_context().run, args=(_run,), daemon=True, name="mesh-send")
    thread.start()
    thread.join(limit.total_seconds())
    return outcomes[0] if outcomes else None


def web_opener(*more: urllib.request.BaseHandler) -> urllib.request.OpenerDirector:
    """For web addresses only: no file of this computer, whatever an address says; without `more` no redirection is followed."""
    made, http = urllib.request.OpenerDirector(), urllib.request
    plain = http.ProxyHandler(), http.HTTPHandler(), http.HTTPSHandler(), http.UnknownHandler()
    for handler in (*plain, *more, http.HTTPDefaultErrorHandler(), http.HTTPErrorProcessor()):
        made.add_handler(handler)
    return made


def unreached(error: Exception) -> str:
    """Why a web server gave no answer."""
    reason = getattr(error, "reason", error)
    return "it did not answer in time" if isinstance(reason, TimeoutError) else f"it cannot be reached: {reason}"


def _notify(url: str, message: Message, limit: timedelta) -> bool:
    from apprise import Apprise, NotifyFormat, NotifyType

    # A header is one line of ASCII.
    headers = {KEY_HEADER: quote(message.key, safe="!#$&'()*+,/:;=?@[]~ ")}
    sender = service(_complete(url, limit), headers)
    if sender is None:
        return False
    senders = Apprise()
    senders.add(sender)
    kind = NotifyType(_notify_type(message.kind))
    return bool(senders.notify(message.body or message.subject, title=message.subject, notify_type=kind, body_format=NotifyFormat.MARKDOWN))


def _complete(url: str, limit: timedelta) -> str:
    """With waits that end by themselves, and a long text in several messages instead of none; unless the URL says otherwise."""
    wait = f"{limit.total_seconds() * 0.8:g}"
    return with_arguments(url, {"overflow": "split", "cto": wait, "rto": wait})


def _notify_type(kind: MessageKind) -> str:
    match kind:
        case "incident":
            return "failure"
        case "reminder" | "budget" | "schema" | "certificate":
            return "warning"
        case "recovery":
            return "success"
        case "update" | "digest" | "access" | "version" | "test":
            return "info"
        case _:
            assert_never(kind)


def _why(outcome: bool | Exception | None, heard: list[LogRecord], limit: timedelta) -> str:
    why = reason(heard)
    match outcome:
        case None:
            return f"no answer within {limit.total_seconds():g} s" + (f": {why}" if why else "")
        case Exception():
            return f"{type(outcome).__name__}: {outcome}"
        case _:
            return why or "Apprise sent nothing and gave no reason"


def _shortened(text: str) -> str:
    """Only after secrets are hidden: half of one would not be found."""
    return text if len(text) <= LONGEST_REASON else f"{text[: LONGEST_REASON - 1]}…"
