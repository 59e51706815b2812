"""Write what a process says on standard error as JSON, one object a line, where MESH_LOG asks for it."""

import atexit
import json
import logging
import os
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from io import TextIOBase
from typing import Any, TextIO

from platform_resources.redaction.redaction import mask
from platform_resources.settings import LOG, QUERY_TAG

# What Dagster puts on each record of a run: whose it is, and the event that it tells of.
OF_DAGSTER = "dagster_meta"
PRODUCT_TAG, VERSION_TAG = "product", "dagster/data_version"


def is_json(environment: Mapping[str, str]) -> bool:
    """Whether logs are JSON."""
    return LOG.value(environment) == "json"


def write_json_lines(environment: Mapping[str, str]) -> None:
    """From now on whatever this process logs, prints or raises on standard error is a JSON object a line, if MESH_LOG is json."""
    if not is_json(environment) or isinstance(sys.stderr, _Lines):
        return
    handler = _JsonLogger.handler = _json_handler(sys.stderr)
    sys.stderr = lines = _Lines(handler)
    atexit.register(lines.write, "\n")  # what was said last may have no end
    logging.setLoggerClass(_JsonLogger)
    logging.Logger.manager.setLoggerClass(_JsonLogger)  # goes before what others set later, such as structlog
    root = logging.getLogger()
    root.handlers, root.level = [handler], min(root.level or logging.INFO, logging.INFO)
    for logger in (logger for logger in logging.Logger.manager.loggerDict.values() if isinstance(logger, logging.Logger)):
        if type(logger) is logging.Logger:
            logger.__class__ = _JsonLogger  # it may be given a handler later
        if logger.handlers and not any(isinstance(handler, logging.NullHandler) for handler in logger.handlers):
            logger.handlers, logger.propagate = [], True
    sys.excepthook = lambda kind, error, trace: logging.getLogger("mesh").critical(str(error), exc_info=(kind, error, trace))


def _json_handler(stream: TextIO) -> logging.Handler:
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLine())
    return handler


class _JsonLogger(logging.Logger):
    """What libraries have a logger write to a terminal later, as Dagster does in each run, is JSON too."""

    handler: logging.Handler

    def addHandler(self, hdlr: logging.Handler) -> None:  # noqa: N802 -- the name is the library's
        if isinstance(hdlr, logging.StreamHandler) and not isinstance(hdlr, logging.FileHandler):
            self.propagate, hdlr = False, self.handler
        super().addHandler(hdlr)


class JsonLine(logging.Formatter):
    """A record as JSON: when, how bad, who says what; of which product, run, step and version, as far as that is known; the error."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, without secrets."""
        of_run = getattr(record, OF_DAGSTER, None)
        said: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": mask(of_run["orig_message"] if of_run else record.getMessage()),
            **(_of_run(of_run) if of_run else _of_refresh(os.environ)),
        }
        if record.exc_info and record.exc_info[0] is not None:
            said["error"] = mask(record.exc_text or "".join(traceback.format_exception(*record.exc_info)).rstrip())
        return json.dumps({name: value for name, value in said.items() if value}, ensure_ascii=False, default=str)


def _of_run(of_run: Mapping[str, Any]) -> dict[str, Any]:
    """Of a record of a run of Dagster."""
    step, event = of_run["step_key"] or "", of_run["dagster_event"]
    product = (of_run["job_tags"] or {}).get(PRODUCT_TAG) or step.partition("__")[0]
    known = {"product": product, "run": of_run["run_id"], "step": step.removeprefix(f"{product}__")}
    if event is not None and event.event_type_value == "ASSET_MATERIALIZATION":
        made = event.step_materialization_data.materialization
        known |= {"asset": "/".join(made.asset_key.path), "version": (made.tags or {}).get(VERSION_TAG)}
    return known | ({"event": event.event_type_value} if event is not None else {})


def _of_refresh(environment: Mapping[str, str]) -> dict[str, Any]:
    """Of what libraries log while a step of a refresh runs: whose it is stands where a warehouse is told it too."""
    tag = QUERY_TAG.value(environment)
    return dict(json.loads(tag)) if tag else {}


class _Lines(TextIOBase):
    """Standard error for those who print: each line is a record."""

    def __init__(self, handler: logging.Handler) -> None:
        self._handler, self._begun = handler, ""

    def write(self, text: str) -> int:
        *lines, self._begun = f"{self._begun}{text}".split("\n")
        for line in filter(None, (line.rstrip() for line in lines)):
            self._handler.handle(logging.LogRecord("stderr", logging.INFO, "", 0, line, None, None))
        return len(text)

    def writable(self) -> bool:
        return True
