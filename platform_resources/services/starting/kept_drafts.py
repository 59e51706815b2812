"""Where a product that somebody thinks of is kept: in the mesh's state, for that person alone and for a few days."""

import hashlib
import json
import secrets
import shutil
import time
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

from platform_resources.services.starting.draft_process import Draft
from platform_resources.services.starting.new_meshes import CannotBegin

DRAFTS = ".mesh/drafts"
LARGEST_UPLOAD = 16 * 2**20
MOST_DRAFTS, KEPT_FOR, DIGITS = 5, timedelta(days=7), 16
ENDINGS = (".csv", ".parquet", ".json", ".jsonl", ".ndjson", ".csv.gz", ".json.gz", ".jsonl.gz", ".ndjson.gz")


def keep(state: Path, person: str, draft: Draft, upload: BinaryIO | None, name: str) -> str:
    """Keep it, with the file that was uploaded under this name; gives its id. Of many the oldest are forgotten. Raises CannotBegin."""
    folder = _folder(state, person)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    forget_old(state)
    for old in sorted(folder.iterdir(), key=_made, reverse=True)[MOST_DRAFTS - 1 :]:
        shutil.rmtree(old, ignore_errors=True)
    own = folder / secrets.token_hex(DIGITS // 2)
    own.mkdir(mode=0o700)
    if upload is not None:
        ending = next((known for known in sorted(ENDINGS, key=len, reverse=True) if name.lower().endswith(known)), None)
        if ending is None:
            raise CannotBegin(f"a file ends in {', '.join(ENDINGS)}; save a table of a spreadsheet as CSV")
        draft = replace(draft, file=str(own / f"upload{ending}"))
        with open(draft.file, "wb") as file:
            shutil.copyfileobj(upload, file)
    (own / "draft.json").write_text(json.dumps(asdict(draft)), encoding="utf-8")
    return own.name


def kept(state: Path, person: str, draft: str) -> Draft | None:
    """None where the person has no such draft, or no more."""
    file = _folder(state, person) / draft / "draft.json"
    if not _is_number(draft) or not file.is_file() or _is_old(file.parent):
        return None
    return Draft(**json.loads(file.read_text(encoding="utf-8")))


def forget(state: Path, person: str, draft: str) -> None:
    """Its file is gone too."""
    if _is_number(draft):
        shutil.rmtree(_folder(state, person) / draft, ignore_errors=True)


def forget_old(state: Path) -> None:
    """Of all people: whoever uploaded something may never come back."""
    for draft in (state / DRAFTS).glob("*/*"):
        if _is_old(draft):
            shutil.rmtree(draft, ignore_errors=True)


def _is_number(draft: str) -> bool:
    return draft.isalnum() and len(draft) == DIGITS


def _folder(state: Path, person: str) -> Path:
    return state / DRAFTS / hashlib.sha256(person.casefold().encode()).hexdigest()


def _made(draft: Path) -> float:
    """0 where somebody else has just forgotten it."""
    try:
        return draft.stat().st_mtime
    except FileNotFoundError:
        return 0


def _is_old(draft: Path) -> bool:
    return _made(draft) <= time.time() - KEPT_FOR.total_seconds()
