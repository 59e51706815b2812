"""What a refresh costs on Snowflake beside dbt: statements by step, and its time against that of a bare `dbt build`; on a stand-in.

    python benchmarks/snowflake.py

The product has one input, one model, six objectives and two ports. Times are of the stand-in, so only their ratio says something.
"""

import os
import re
import sys
import tempfile
import time
import uuid
from collections import Counter
from pathlib import Path

from platform_resources.capabilities.registry import installed_registry
from platform_resources.dbt.build import build, parsed
from platform_resources.dbt.planning import read_plan
from platform_resources.services.refreshes.execution import refresh_product
from platform_resources.settings import QUERY_TAG
from platform_resources.warehouses.snowflake.sessions import Session
from tests.meshes import tiny_mesh
from tests.snowflake_server import started


def counted() -> Counter[tuple[str, str]]:
    """Statements of the platform's own sessions from now on, by step and by what they begin with."""
    counts: Counter[tuple[str, str]] = Counter()
    run = Session.described

    def described(session: Session, sql: str, *more: object) -> object:
        step = re.search(r'"step": "(\w+)"', os.environ.get(QUERY_TAG.name, ""))
        word = sql.split(maxsplit=1)[0]
        counts[step[1] if step else "around", word] += 1
        return run(session, sql, *more)  # type: ignore[arg-type]

    Session.described = described  # type: ignore[method-assign,assignment]
    return counts


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="mesh_") as folder, started(Path(folder) / "server.log") as server:
        root = tiny_mesh(Path(folder) / "mesh")
        os.environ.update(server.environment)
        product, registry, counts = read_plan(root)[0].product("readings"), installed_registry(), counted()
        for turn in ("the first refresh", "the second"):
            counts.clear()
            before, began = server.log.read_text().count("query-request"), time.perf_counter()
            done = refresh_product(root, root, product, registry, str(uuid.uuid4()))
            seconds = time.perf_counter() - began
            sent = server.log.read_text().count("query-request") - before
            print(
                f"{turn}: {done.outcome} {'; '.join(done.reasons)}, {sent} statements, of dbt {sent - sum(counts.values())}, {seconds:.1f} s"
            )
            for step in ("pull", "build", "audit", "publish", "around"):
                kinds = {word: count for (where, word), count in sorted(counts.items()) if where == step}
                print(f"  {step:8} {sum(kinds.values()):3}  {', '.join(f'{count} {word}' for word, count in kinds.items())}")
        began = time.perf_counter()
        build(parsed(root, root, product, "snowflake"), str)
        bare = time.perf_counter() - began
        print(f"a bare dbt build: {bare:.1f} s; a refresh takes {seconds / bare:.1f} times as long")


if __name__ == "__main__":
    sys.exit(main())
