"""Write new and changed files as a patch that `git apply` puts into a repository."""

import base64
import difflib
import hashlib
import zlib
from collections.abc import Iterator, Mapping

# Git's own form of binary files: so many bytes a line, whose length is the letter before them.
_BYTES = 52
_LENGTHS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def new_files_patch(files: Mapping[str, str | bytes]) -> str:
    """Texts by their lines, anything else as git writes binary files. Paths have letters, digits, `_`, `-`, `.` and `/` alone."""
    return "".join(line for path in sorted(files) for line in _new_file(path, files[path]))


def _new_file(path: str, content: str | bytes) -> Iterator[str]:
    data = content.encode() if isinstance(content, str) else content
    # The name of the content in a repository, which a patch of a binary file has to say.
    name = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
    yield f"diff --git a/{path} b/{path}\nnew file mode 100644\nindex {'0' * 40}..{name}\n"
    if isinstance(content, bytes):
        yield f"GIT binary patch\nliteral {len(data)}\n"
        packed = zlib.compress(data, 9)
        for start in range(0, len(packed), _BYTES):
            part = packed[start : start + _BYTES]
            yield f"{_LENGTHS[len(part) - 1]}{base64.b85encode(part, pad=True).decode()}\n"
        yield "\nliteral 0\nHcmV?d00001\n\n"
    elif content:
        lines = content.removesuffix("\n").split("\n")
        yield f"--- /dev/null\n+++ b/{path}\n@@ -0,0 +1,{len(lines)} @@\n"
        yield from (f"+{line}\n" for line in lines)
        if not content.endswith("\n"):
            yield "\\ No newline at end of file\n"


def changed_file_patch(path: str, before: str, after: str) -> str:
    """The patch that makes `after` of a text file."""
    lines = difflib.unified_diff(before.splitlines(keepends=True), after.splitlines(keepends=True), f"a/{path}", f"b/{path}")
    return f"diff --git a/{path} b/{path}\n" + "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )
