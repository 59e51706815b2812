"""Addresses of sources with secrets filled in from the environment, and libraries that are imported only where they are used."""

import importlib
import os
from typing import Any

from platform_resources.spec.values.channel_urls import VARIABLE


class SourceUnread(Exception):
    """Raised when a source cannot be read as its input port says; says why and what to do."""


def filled(text: str) -> str:
    """The text with each `${NAME}` replaced. Raises SourceUnread for a variable that is not set."""
    missing = [name for name in VARIABLE.findall(text) if not os.environ.get(name)]
    if missing:
        raise SourceUnread(f"{', '.join(missing)} is not set in the environment")
    return VARIABLE.sub(lambda match: os.environ[match.group(1)], text)


def library(name: str, extra: str = "sources") -> Any:
    """A library of this extra. Raises SourceUnread where it is not installed."""
    os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise SourceUnread(f"{error}; the extra {extra} is not installed: pip install 'platform-resources[{extra}]'") from error
