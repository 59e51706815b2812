"""Look at what somebody wants a product of, and publish a first version to look at, in a process of its own and in a copy of the mesh.

What people upload is read nowhere else: the process has limits on memory, on the size of files and on time, and leaves nothing behind.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platform_resources.capabilities.registry import installed_registry
from platform_resources.plan import conventions
from platform_resources.scaffolding.column_guesses import comma_numbers, unit
from platform_resources.scaffolding.product_files import Guesses, data_set_name, promise_id, promised_type, promises
from platform_resources.scaffolding.source_columns import SourceColumn
from platform_resources.services.starting.corrections import Wishes, corrected, wishes_of
from platform_resources.services.starting.new_inputs import NewInput, declared_input, said_fields, uploaded_input
from platform_resources.services.starting.new_meshes import CannotBegin
from platform_resources.services.starting.new_products import NewProduct, check_new, guessed_of, valid_files
from platform_resources.settings import DAGSTER_HOME, LEDGER, MEMORY_LIMIT, STATE, TARGET
from platform_resources.spec.domain_document import DomainReading
from platform_resources.spec.problems import unknown_text

if TYPE_CHECKING:
    from platform_resources.refresh.stages import StageDone

MEMORY, LARGEST_FILE = 6 * 2**30, 2 * 2**30
TIME = timedelta(minutes=2)
PREVIEW_ROWS = 10
# Only texts of the mesh are copied: what is larger is data.
LONGEST_FILE = 2**20
_RUNNER = (sys.executable, "-m", "platform_resources.services.starting.draft_process")


@dataclass(frozen=True, slots=True)
class Draft:
    """A product that somebody thinks of: of an uploaded `file`, or of a `table` of a `source` that the domain declares.

    `fields` are further ones of its input port, one a line.
    """

    domain: str
    name: str
    file: str = ""
    source: str = ""
    table: str = ""
    fields: str = ""

    @property
    def path(self) -> str:
        """Where the uploaded file will lie, from the product's folder."""
        return f"data/{self.name}{''.join(Path(self.file).suffixes[-2:])}"


def draft_answer(root: Path, draft: Draft, wishes: Wishes | None = None, preview: bool = False) -> dict[str, Any]:
    """What is guessed or wished for, the product's files, and with `preview` its first version. Raises CannotBegin."""
    asked = {"root": str(root), "draft": asdict(draft), "preview": preview, "wishes": None}
    if wishes is not None:
        asked["wishes"] = {**asdict(wishes), "left_out": sorted(wishes.left_out)}
    with tempfile.TemporaryDirectory(prefix="mesh_draft_") as folder:
        state = {STATE.name: f"{folder}/mesh", "TMPDIR": folder, MEMORY_LIMIT.name: "1GB"}
        # A first version to look at is published nowhere but in the copy.
        elsewhere = (DAGSTER_HOME.name, LEDGER.name, *([TARGET.name] if TARGET.value(os.environ) == conventions.SNOWFLAKE else []))
        environment = {name: value for name, value in os.environ.items() if name not in elsewhere} | state
        try:
            done = subprocess.run(
                _RUNNER, input=json.dumps(asked).encode(), capture_output=True, timeout=TIME.total_seconds(), env=environment, cwd=folder
            )
        except subprocess.TimeoutExpired:
            raise CannotBegin(f"it takes longer than {TIME.total_seconds():g} seconds; begin with a smaller part of the data") from None
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise CannotBegin("the data take more memory than there is for them; begin with a smaller part of them") from None
    if "refused" in answer:
        raise CannotBegin(answer["refused"])
    return answer


# What runs in the process of its own


def main() -> None:
    """Reads what is asked from the standard input; the answer is the last that is written to the standard output."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))
    asked = json.load(sys.stdin)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # dbt writes there too
    wishes = Wishes.of_data(asked["wishes"]) if asked["wishes"] is not None else None
    try:
        answer = _answer(Path(asked["root"]), Draft(**asked["draft"]), wishes, asked["preview"])
    except CannotBegin as error:
        answer = {"refused": _named(str(error), Path(asked["root"]), asked["draft"])}
    except MemoryError:
        answer = {"refused": "the data take more memory than there is for them; begin with a smaller part of them"}
    json.dump(answer, answers, default=str)
    answers.close()


def _named(text: str, root: Path, draft: Mapping[str, str]) -> str:
    """With the name that the uploaded file will have: where it is kept is nobody's business."""
    kept = draft["file"]
    for written in (kept, os.path.realpath(kept), os.path.relpath(kept, root)) if kept else ():
        text = text.replace(written, Path(Draft(**draft).path).name)
    return text


def _answer(root: Path, draft: Draft, wishes: Wishes | None, preview: bool) -> dict[str, Any]:
    from platform_resources.repository.mesh_repository import read_mesh
    from platform_resources.repository.placing import InTheWay

    mesh = read_mesh(root, only=())
    try:
        check_new(root, draft.domain, draft.name)
    except InTheWay as error:
        raise CannotBegin(str(error)) from error
    new = guessed_of(root, draft.domain, draft.name, _input(mesh.domains.get(draft.domain), draft), datetime.now(UTC))
    guessed = new.guessed
    wanted = wishes or wishes_of(new)
    new = corrected(new, wanted, mesh.governance.governance.classes) if wishes is not None else new
    files = valid_files(new)
    answer = {
        "rows": new.source.rows,
        "source": new.asked.source,
        "model": data_set_name(draft.name),
        "wishes": {**asdict(wanted), "left_out": sorted(wanted.left_out)},
        "columns": [_column(new, column, guessed) for column in new.source.columns],
        "classes": [data_class.name for data_class in mesh.governance.governance.classes],
        "promises": [asdict(promise) | {"id": promise_id(promise, new.source)} for promise in promises(new.asked, new.source, new.guessed)],
        "key": guessed.key[1].reason if guessed.key is not None else "",
        "hidden": sorted(new.guessed.hidden),
        "files": files,
    }
    return answer | {"preview": _preview(root, draft, files, new.guessed.hidden) if preview else None}


def _input(reading: DomainReading | None, draft: Draft) -> NewInput:
    fields = said_fields(draft.fields.splitlines())
    if draft.file:
        return uploaded_input(Path(draft.file), draft.path, fields)
    sources = reading.domain.sources if reading is not None else {}
    if draft.source not in sources:
        raise CannotBegin(unknown_text(f"source in {draft.domain}", draft.source, sources))
    return declared_input(draft.source, sources[draft.source], draft.table, fields)


def _column(new: NewProduct, column: SourceColumn, guessed: Guesses) -> dict[str, Any]:
    """What was seen of it, and guessed before anybody corrected it. No value is told: which may be shown is a guess itself."""
    said = [guess for guess in (unit(column), comma_numbers(column), guessed.classes.get(column.name)) if guess is not None]
    return {
        "source": new.names[column.name],
        "loaded": promised_type(column.type),
        "empty": 100 * column.nulls / new.source.rows,
        "distinct": column.profile.distinct,
        "guesses": [f"{guess.value} ({guess.confidence}): {guess.reason}" for guess in said],
    }


def _preview(root: Path, draft: Draft, files: Mapping[str, str], hidden: Collection[str]) -> dict[str, Any]:
    """A refresh of the product in a copy of the mesh's texts, with every check and policy as it would be."""
    from platform_resources.dbt.planning import read_plan
    from platform_resources.publications.consumer_queries import queried
    from platform_resources.services.refreshes.check_records import check_records
    from platform_resources.services.refreshes.execution import refresh_product

    copy = Path(os.environ[STATE.name])
    for folder in (conventions.PRODUCTS_FOLDER, conventions.DBT_FOLDER):
        shutil.copytree(root / folder, copy / folder, ignore=_left_out)
    for path, text in files.items():
        (copy / path).parent.mkdir(parents=True, exist_ok=True)
        (copy / path).write_text(text, encoding="utf-8")
    if draft.file:
        data = copy / conventions.PRODUCTS_FOLDER / draft.domain / draft.name / draft.path
        data.parent.mkdir()
        shutil.copyfile(draft.file, data)
    plan, problems = read_plan(copy, only=[draft.name])
    texts = [str(problem) for problem in problems if problem.file in files]
    if draft.name not in plan.by_name:
        return {"outcome": "not valid", "problems": texts, "checks": [], "names": [], "rows": []}
    checks = list[dict[str, Any]]()

    def heard(done: "StageDone") -> None:
        checks.extend({"title": record.check.title, "passed": record.passed, "text": record.text} for record in check_records(done))

    ended = refresh_product(copy, copy, plan.product(draft.name), installed_registry(), "preview", heard)
    names, rows = list[str](), list[tuple[Any, ...]]()
    if ended.served is not None:
        names, rows = queried(
            copy, draft.domain, draft.name, f"select * from {data_set_name(draft.name)} limit {PREVIEW_ROWS}", as_text=True
        )
    shown = [["hidden" if name in hidden and value is not None else value for name, value in zip(names, row, strict=True)] for row in rows]
    return {"outcome": ended.outcome, "problems": [*texts, *ended.reasons], "checks": checks, "names": names, "rows": shown}


def _left_out(folder: str, names: list[str]) -> Iterator[str]:
    """Links, what refreshes made, and data."""
    for name in names:
        path = Path(folder, name)
        if path.is_symlink() or name in ("target", "logs", "dbt_packages") or (path.is_file() and path.stat().st_size > LONGEST_FILE):
            yield name


if __name__ == "__main__":
    main()
