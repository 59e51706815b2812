"""dbt's output during a build: a progress line for each node, its log and its files, without secrets."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from platform_resources.dbt.project_slices import PARSED
from platform_resources.redaction.redaction import Mask

FILE = "dbt.log"
# What a result alone does not say: of which nodes, or why the semantic layer is refused.
_REPORTED = ("LogModelResult", "LogTestResult", "SemanticValidationFailure")
# Of each relation that dbt remembers while it runs: dbt leaves them out of its own log too.
_LEFT_OUT = ("CacheAction", "CacheDumpGraph")


@contextmanager
def listening(folder: Path, report: Callable[[str], object], hide: Mask) -> Iterator[Callable[[Any], None]]:
    """The callback for dbt's runner. The log of the newest build replaces the one before."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / FILE).open("w", encoding="utf-8", errors="replace") as log:

        def callback(event: Any) -> None:
            if event.info.name in _LEFT_OUT:
                return
            text = hide(event.info.msg)
            # dbt keeps the callback until its next build.
            if not log.closed:
                print(event.info.ts.ToJsonString(), event.info.level, text, file=log)
            if event.info.name in _REPORTED:
                report(text)

        yield callback


def tidy(folder: Path, hide: Mask) -> None:
    """Hide what `env_var()` has put into SQL that dbt wrote down. What it remembers of the parse is binary: with a secret it goes."""
    for file in folder.rglob("*.sql"):
        written = file.read_text(encoding="utf-8")
        if (shown := hide(written)) != written:
            file.write_text(shown, encoding="utf-8")
    parsed = folder / PARSED
    if parsed.exists() and any(secret.encode() in parsed.read_bytes() for secret in hide.secrets):
        parsed.unlink()
