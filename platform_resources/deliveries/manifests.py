"""Read what a source writes last to mark a delivery as complete: an empty marker such as `_SUCCESS`, or a list of files."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_WITH_SUM = re.compile(r"^([0-9a-fA-F]{64}) [ *](.+)$")


@dataclass(frozen=True, slots=True)
class Manifest:
    """The files that it lists, each with its SHA-256 if that is given; none for a marker. `written` is in nanoseconds."""

    name: str
    written: int
    files: Mapping[Path, str | None]

    def names(self, file: Path) -> bool:
        """Whether the file belongs to the delivery; to a marker's belong all."""
        return not self.files or file in self.files


def manifest(place: Path, name: str) -> Manifest | str:
    """Read a manifest: one file name a line, from its own folder, or lines as `sha256sum` writes them; or why it is none."""
    try:
        written, text = place.stat().st_mtime_ns, place.read_text(encoding="utf-8")
    except FileNotFoundError:
        return f"{name} has not come yet, which says that the delivery is whole (manifest)"
    except (OSError, UnicodeDecodeError) as error:
        return f"{name} cannot be read: {error}"
    if text.lstrip()[:1] in ("{", "["):
        return f"{name} is JSON; a manifest is empty, or has one file name a line, with or without a SHA-256 before it"
    lines = [_WITH_SUM.match(line) or line.strip() for line in text.splitlines() if line.strip()]
    files = {(place.parent / (line if isinstance(line, str) else line.group(2))): _sum(line) for line in lines}
    return Manifest(name, written, files)


def _sum(line: "str | re.Match[str]") -> str | None:
    return None if isinstance(line, str) else line.group(1).lower()
