"""How are small files read, and replaced in one step: who reads one finds the old text or the new one?"""

import json
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from platform_resources.publications.version_records import VersionsUnreadable


def read_json(path: Path) -> dict[str, Any]:
    """What a JSON file says; nothing where there is none. Raises VersionsUnreadable."""
    try:
        text = path.read_text(encoding="utf-8")
        record = json.loads(text)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise VersionsUnreadable(path, error.strerror or str(error)) from error
    except ValueError as error:  # of JSON, or of UTF-8
        raise VersionsUnreadable(path, f"it is damaged ({error})") from error
    if not isinstance(record, dict):
        raise VersionsUnreadable(path, "it is damaged (no JSON object)")
    return record


def replace_file(part: Path, file: Path) -> None:
    """Replace a file, keeping the permissions of a restricted one."""
    with suppress(FileNotFoundError):
        part.chmod(stat.S_IMODE(file.stat().st_mode))
    os.replace(part, file)


def replace_json(path: Path, data: Mapping[str, Any]) -> None:
    """Replace a JSON file atomically: readers see the old or the new content, even after a power failure.

    Each file has one writer at a time, so the next write takes up what a killed one left.
    """
    replace_text(path, json.dumps(data, indent=1))  # columns in their order


def replace_text(path: Path, text: str) -> None:
    """Replace a text file atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    with part.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    replace_file(part, path)
