"""How much memory and time a product's database may take: by the environment, or by the machine's size."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from platform_resources.settings import AUDIT_TIMEOUT, LEASE, MEMORY_LIMIT, STATEMENT_TIMEOUT, Setting
from platform_resources.spec.values.durations import duration

MEMORY_VARIABLE, TIME_VARIABLE = MEMORY_LIMIT.name, AUDIT_TIMEOUT.name
# Two refreshes at a time, and what Python, dbt and Dagster need beside them, fit into the machine.
SHARE = 0.4
QUERY_TIME, STATEMENT_TIME, LEASE_TIME = timedelta(minutes=10), timedelta(hours=1), timedelta(minutes=1)
_MEMORY = re.compile(r"\s*\d+(\.\d+)?\s*([KMGT]i?B|%)\s*", re.IGNORECASE)
_CGROUPS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


class SettingInvalid(Exception):
    """Raised where an environment variable cannot be read; says what is allowed."""


@dataclass(frozen=True, slots=True)
class Limits:
    """`memory` as DuckDB writes it (`4GB`); what needs more is spilled to disk. One query of an audit may take as long as `query`."""

    memory: str
    query: timedelta = QUERY_TIME


def limits(environment: Mapping[str, str], memory: int | None = None) -> Limits:
    """Memory in bytes and time of a query: as set, otherwise 40 % of the machine's memory and ten minutes. Raises SettingInvalid."""
    return Limits(_memory(environment, memory), _time(environment, AUDIT_TIMEOUT, QUERY_TIME))


def statement_time(environment: Mapping[str, str]) -> timedelta:
    """How long a statement that moves rows may take in a warehouse that another machine runs. Raises SettingInvalid."""
    return _time(environment, STATEMENT_TIMEOUT, STATEMENT_TIME)


def lease_time(environment: Mapping[str, str]) -> timedelta:
    """How long a machine that says nothing keeps a product of a shared storage to itself. Raises SettingInvalid."""
    return _time(environment, LEASE, LEASE_TIME)


def _memory(environment: Mapping[str, str], memory: int | None) -> str:
    written = MEMORY_LIMIT.value(environment)
    if not written:
        return f"{int((memory or machine_memory()) * SHARE / 2**20)}MiB"
    if not _MEMORY.fullmatch(written):
        raise SettingInvalid(f'{MEMORY_VARIABLE} is "{written}"; write a size such as 4GB, or a share of the machine\'s memory such as 40%')
    return written


def _time(environment: Mapping[str, str], setting: Setting, default: timedelta) -> timedelta:
    written = setting.value(environment)
    if not written:
        return default
    try:
        return duration(written)
    except ValueError as error:
        raise SettingInvalid(f"{setting.name}: {error}") from error


def machine_memory(cgroups: tuple[Path, ...] = _CGROUPS) -> int:
    """Bytes that this process may have: the machine's, or its container's where that is less."""
    bounds = [int(text) for file in cgroups if file.exists() and (text := file.read_text().strip()).isdigit()]
    return min([os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), *(bound for bound in bounds if bound > 0)])


def spill_folder(database: Path) -> Path:
    """The folder beside the database for what does not fit into memory."""
    return database.with_name(f"{database.name}.tmp")
