"""Access Apprise: find the service for a URL, and capture its log records, which may contain secrets."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from apprise import NotifyBase

LOGGER = "apprise"
LONGEST_REASON = 500
_EXCEPTION, _ANSWER = "Socket Exception: ", "Response Details:"
_heard: ContextVar[list[logging.LogRecord] | None] = ContextVar("heard", default=None)


class _Diversion(logging.Filter):
    """A log filter that hands records to the listener within `listening`, also from Apprise's threads, and passes all others."""

    def filter(self, record: logging.LogRecord) -> bool:
        records = _heard.get()
        if records is None:
            return True
        records.append(record)
        return False


_DIVERSION = _Diversion()


@contextmanager
def listening() -> Iterator[list[logging.LogRecord]]:
    """Capture everything Apprise logs in this context and its copies into the returned list, and nowhere else.

    Not only Apprise's own logger: urllib3 logs the path of a web hook, which is its password, and OAuth libraries log tokens. A filter
    sees only what its own logger is told, so each logger has it, and each handler for loggers that come later. Outside of `listening`
    it does nothing.
    """
    import apprise  # noqa: F401  # 0.2 s, and half a second more for its services: only where something is sent

    # Whatever a connection broke on is said at this level alone.
    logging.getLogger(LOGGER).setLevel(logging.DEBUG)
    for filterer in _filterers():
        filterer.addFilter(_DIVERSION)
    records: list[logging.LogRecord] = []
    token = _heard.set(records)
    try:
        yield records
    finally:
        _heard.reset(token)


def _filterers() -> Iterator[logging.Filterer]:
    loggers = [logger for logger in logging.Logger.manager.loggerDict.copy().values() if isinstance(logger, logging.Logger)]
    for logger in (logging.getLogger(), *loggers):
        yield from (logger, *logger.handlers)
    if logging.lastResort is not None:
        yield logging.lastResort


def scheme(url: str) -> str:
    """The scheme of the URL, such as `mailto` or `slack`."""
    return url.partition("://")[0].lower() if "://" in url else ""


def is_known(scheme: str) -> bool:
    """Whether Apprise has a service for the scheme."""
    from apprise import NotificationManager

    return scheme in NotificationManager()  # type: ignore[no-untyped-call]


def service(url: str, headers: Mapping[str, str] | None = None) -> "NotifyBase | None":
    """The Apprise service for the URL, not connected yet; None if the URL is invalid, which Apprise then logs.

    The headers go with what it sends, if it has any: e-mail and web hooks have, chats have not. They are not written into the URL as
    `+Name=value`, because Apprise decodes that once or twice.
    """
    from apprise import Apprise, AppriseAsset
    from apprise.plugins import url_to_dict

    # One message is one attempt in the caller's thread: the outbox repeats, and its sender keeps the time.
    asset = AppriseAsset(app_id="mesh", app_desc="Data products", async_mode=False, service_timeout=0)
    sender = Apprise.instantiate(url, asset=asset)
    if sender is None or not headers or sender.template_kwargs.get("headers", {}).get("prefix") != "+":
        return sender
    details = url_to_dict(url)  # type: ignore[no-untyped-call]
    return Apprise.instantiate(details | {"headers": {**(details.get("headers") or {}), **headers}}, asset=asset)


def with_arguments(url: str, arguments: dict[str, str]) -> str:
    """The URL with these query arguments added, unless it has them."""
    given = {part.partition("=")[0].lower() for part in url.partition("?")[2].split("&")}
    added = [f"{name}={quote(value, safe='')}" for name, value in arguments.items() if name.lower() not in given]
    return "&".join([url if "?" in url else f"{url}?", *added]).replace("?&", "?") if added else url


def reason(records: list[logging.LogRecord]) -> str:
    """Apprise's error messages as one text: unmasked, of any length."""
    details = [_detail(record) for record in records if record.name == LOGGER]
    return "; ".join(dict.fromkeys(text.rstrip(".") for text in details if text))


def _detail(record: logging.LogRecord) -> str:
    """Warnings; and what connections broke on or receivers answered, which Apprise tells to debuggers only."""
    text = record.getMessage()
    if record.levelno >= logging.WARNING:
        return " ".join(text.split())
    if text.startswith(_EXCEPTION):
        return " ".join(text.removeprefix(_EXCEPTION).split())
    if text.startswith(_ANSWER) and record.args and isinstance(record.args[0], bytes):  # type: ignore[index]
        return " ".join(record.args[0].decode("utf-8", "replace").split())  # type: ignore[index]
    return ""
