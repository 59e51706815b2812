"""The comparison of generated text with a golden file; `MESH_REWRITE_GOLDEN=1 pytest` rewrites them, to be reviewed in the diff."""

import os
from pathlib import Path

REWRITE = "MESH_REWRITE_GOLDEN"
HINT = f"\n\nIf this is what it should be: {REWRITE}=1 .venv/bin/pytest <this test>, then review the diff."


def assert_golden(text: str, file: Path) -> None:
    """Fails when the text differs from the file's, or when there is no such file."""
    if os.environ.get(REWRITE):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    expected = file.read_text(encoding="utf-8") if file.exists() else f"(there is no {file.name})"
    assert text == expected, f"{file} differs{HINT}"
