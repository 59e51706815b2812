"""Mask secrets in what a team's code prints, warns or logs while it runs."""

import logging
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import TextIOBase
from typing import TextIO

from platform_resources.redaction.redaction import Hide


class _Hiding(TextIOBase):
    """Passes on whole lines: a secret may be written in two pieces."""

    def __init__(self, target: TextIO, hide: Hide) -> None:
        self._target, self._hide, self._begun = target, hide, ""

    def write(self, text: str) -> int:
        *lines, self._begun = f"{self._begun}{text}".split("\n")
        for line in lines:
            self._target.write(f"{self._hide(line)}\n")
        return len(text)

    def finish(self) -> None:
        self._target.write(self._hide(self._begun))
        self._begun = ""
        self._target.flush()


@contextmanager
def hiding_output(hide: Hide) -> Iterator[None]:
    """While inside, whatever is printed or logged goes to standard error with its secrets masked."""
    shown = _Hiding(sys.stderr, hide)
    factory = logging.getLogRecordFactory()
    logging.setLogRecordFactory(lambda *args, **more: _hidden(factory(*args, **more), hide))
    with redirect_stdout(shown), redirect_stderr(shown):
        try:
            yield
        finally:
            logging.setLogRecordFactory(factory)
            shown.finish()


def _hidden(record: logging.LogRecord, hide: Hide) -> logging.LogRecord:
    """The record with its text made already, and that of its error, which every formatter then takes."""
    try:
        record.msg, record.args = hide(record.getMessage()), ()
    except (TypeError, ValueError, KeyError):  # a format that does not fit its values: logging complains of it by itself
        return record
    if record.exc_info and record.exc_info[0] is not None:
        record.exc_text = hide("".join(traceback.format_exception(*record.exc_info))).rstrip()
    return record
