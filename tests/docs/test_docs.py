"""The documentation says what is: fields, commands, links and examples are compared with the platform itself."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import pytest
import typer
from typer.core import TyperCommand, TyperGroup

from platform_resources.capabilities.registry import KINDS, Registry, installed_registry
from platform_resources.capabilities.score_facts import LETTERS
from platform_resources.capabilities.support.learned_thresholds import LearnedSettings
from platform_resources.cli.app import app
from platform_resources.cli.terminal.deferred_commands import DeferredCommand
from platform_resources.dbt.planning import read_plan
from platform_resources.settings import SETTINGS
from platform_resources.spec.components import Owners
from platform_resources.spec.data_classes import DataClass
from platform_resources.spec.domain_document import (
    CalendarDocument,
    Compute,
    DomainDocument,
    SharedSource,
    read_calendar,
    read_domain,
)
from platform_resources.spec.field_problems import written_names
from platform_resources.spec.governance import Exemption, Governance, Identifier, PolicySetting, StageSetting, read_governance
from platform_resources.spec.notifications import Channel, Digest, QuietTimes
from platform_resources.spec.problems import problems_text
from platform_resources.spec.reading import read_product
from platform_resources.spec.strict import Strict
from platform_resources.spec.values.durations import duration_text
from tests.meshes import REPOSITORY, document, write_mesh

PAGES = sorted(
    [*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md"), *(REPOSITORY / "dataproducts").rglob("*.md")],
)
SPEC = (REPOSITORY / "docs" / "spec.md").read_text(encoding="utf-8")
START = (REPOSITORY / "docs" / "start.md").read_text(encoding="utf-8")
CONTRIBUTING = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
PARTS = {
    "components": "Component types",
    "input_ports": "Input port interfaces",
    "output_ports": "Output port interfaces",
    "dimensions": "Dimensions",
    "policies": "Policies",
    "masks": "Masks",
    "exports": "Exports",
}


def name_of(page):
    return page.relative_to(REPOSITORY).as_posix()


def built_in() -> Iterator[tuple[str, str, type[Strict]]]:
    registry = installed_registry()
    # Criteria have nothing to set: docs/scores.md has a table of them.
    for kind in (each for each in KINDS if each != "criteria"):
        for name, capability in registry.by_kind[kind].items():
            if type(capability).__module__.startswith("platform_resources."):
                yield kind, name, capability.config


def sections(text: str, marks: str) -> dict[str, str]:
    """The text under each heading of this level, by the heading."""
    heads = list(re.finditer(rf"^{marks} (.+)$", text, re.MULTILINE))
    ends = [head.start() for head in heads[1:]] + [len(text)]
    return {head.group(1): text[head.end() : end] for head, end in zip(heads, ends, strict=True)}


def section(kind: str, name: str) -> str:
    found = [text for head, text in sections(sections(SPEC, "##")[PARTS[kind]], "###").items() if f"`{name}`" in head]
    assert found, f"docs/spec.md has no section on `{name}` under {PARTS[kind]}"
    return found[0]


def tables(text: str) -> list[dict[str, str]]:
    """Each table of fields as field -> default."""
    blocks = re.findall(r"^\| field \| default \| meaning \|\n\|[-|]+\|\n((?:\|.*\n)+)", text, re.MULTILINE)
    return [dict(re.findall(r"^\| `(\w+)` \| (.+?) \|", block, re.MULTILINE)) for block in blocks]


def fields(model: type[Strict]) -> dict[str, str]:
    return {written_names(name, field)[0]: default_text(field) for name, field in model.model_fields.items()}


def default_text(field) -> str:
    match field.default:
        case _ if field.is_required():
            return "required"
        case bool(value):
            return "yes" if value else "no"
        case timedelta() as value:
            return f"`{duration_text(value)}`"
        case int() | float() as value:
            return f"`{value:g}`"
        case str(value) if value:
            return f"`{value}`"
        case _:
            return "–"


def nested_models(annotation) -> Iterator[type[Strict]]:
    if isinstance(annotation, type) and issubclass(annotation, Strict):
        yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from nested_models(part)


@pytest.mark.parametrize(("kind", "name", "config"), [pytest.param(*each, id="-".join(each[:2])) for each in built_in()])
def test_the_specification_lists_every_field_of_every_capability_with_its_default(kind, name, config):
    found = tables(section(kind, name))
    assert (found[0] if found else {}) == fields(config)
    for field in config.model_fields.values():
        for model in nested_models(field.annotation):
            assert fields(model) in found or model in (Owners, LearnedSettings)


PLAIN = (Owners, LearnedSettings, CalendarDocument, DomainDocument, Compute, SharedSource, Channel, Digest, QuietTimes)
GOVERNING = (Governance, DataClass, Identifier, PolicySetting, StageSetting, Exemption)


def test_the_page_of_scores_has_a_table_of_each_letter():
    page = (REPOSITORY / "docs" / "scores.md").read_text(encoding="utf-8")
    work = {1: "a line", 2: "an hour", 5: "days"}
    for letter in LETTERS:
        criteria = [each for each in installed_registry().criteria().values() if each.letter == letter]
        ordered = sorted(criteria, key=lambda each: (-each.points, each.name))
        told = [f"| `{e.name}` | {e.points} | {work[e.effort]} | {' '.join((e.__doc__ or '').split())} |" for e in ordered]
        assert re.findall(r"^\| `.*\|$", sections(page, "###")[letter.capitalize()], re.MULTILINE) == told


@pytest.mark.parametrize("model", [*PLAIN, *GOVERNING], ids=lambda model: model.__name__)
def test_the_specification_lists_the_fields_of_what_is_no_capability(model):
    assert fields(model) in tables(SPEC)


def test_the_domain_of_the_specification_is_valid():
    example, calendar = re.findall(r"^```yaml\n(.*?)^```", sections(SPEC, "##")["The domain's own file"], re.MULTILINE | re.DOTALL)
    assert problems_text(read_domain(example, "domain.yaml").problems) == ""
    assert problems_text(read_calendar(calendar, "company.yaml").problems) == ""


def test_the_governance_of_the_specification_is_valid():
    (example,) = re.findall(r"^```yaml\n(.*?)^```", sections(SPEC, "##")["The company's own file"], re.MULTILINE | re.DOTALL)
    assert problems_text(read_governance(example, "governance.yaml").problems) == ""


@pytest.mark.parametrize(("kind", "name", "config"), [pytest.param(*each, id="-".join(each[:2])) for each in built_in()])
def test_the_specification_names_every_older_word_for_a_field(kind, name, config):
    text = section(kind, name)
    for name_in_code, field in config.model_fields.items():
        for written in written_names(name_in_code, field):
            assert f"`{written}`" in text


@pytest.mark.parametrize(("kind", "name"), [each[:2] for each in built_in()])
def test_the_specification_shows_the_example_of_every_capability(kind, name):
    assert installed_registry().by_kind[kind][name].example.strip() in section(kind, name)


# Commands


def code_of(text: str) -> Iterator[str]:
    """Lines of fenced and indented code, and code within sentences."""
    fenced = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    rest = re.sub(r"^```\w*\n.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    for block in fenced:
        yield from block.splitlines()
    yield from re.findall(r"^ {4}(.+)$", rest, re.MULTILINE)
    yield from re.findall(r"`([^`\n]+)`", rest)


def mesh_calls(text: str) -> Iterator[str]:
    for code in code_of(text):
        yield from (call.group(1) for call in re.finditer(r"(?:^|[\s/`])mesh ((?:--root \S+ )?(?:--)?[a-z].*)$", code.split(" #")[0]))


CALLS = [
    pytest.param(call, id=f"{name_of(page)}: mesh {call}"[:90]) for page in PAGES for call in mesh_calls(page.read_text(encoding="utf-8"))
]


def command_of(command: TyperCommand | TyperGroup, words: list[str]) -> TyperCommand:
    """The command that the words call; those of `mesh monitors` have a second word."""
    command = command.loaded() if isinstance(command, DeferredCommand) else command
    return (
        command_of(command.commands[words[0]], words[1:]) if isinstance(command, TyperGroup) and not words[0].startswith("--") else command
    )


@pytest.mark.parametrize("call", CALLS)
def test_every_mesh_command_and_option_in_the_pages_exists(call):
    words = re.sub(r"\"[^\"]*\"", "text", re.sub(r"^--root \S+ ", "", call)).split()
    command = command_of(typer.main.get_command(app), words)
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words[1:] if word.startswith("--")} <= known


def test_the_pages_call_mesh():
    assert len(CALLS) > 30


def test_every_target_of_make_in_the_pages_exists():
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    for page in PAGES:
        for code in code_of(page.read_text(encoding="utf-8")):
            if call := re.match(r"make ([a-z]+)(\s|$)", code):
                assert call.group(1) in targets, f"{name_of(page)}: make {call.group(1)}"


# Settings


def test_the_pages_list_every_setting_as_mesh_settings_does():
    rows = re.findall(
        r"^\| `([A-Z_]+)` \| (.+?) \| (.+?) \|$", (REPOSITORY / "docs" / "operations.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    listed = [tuple(re.sub(r", see \[.*?\)|`", "", text) for text in row) for row in rows]
    assert listed == [(setting.name, setting.meaning, setting.default) for setting in SETTINGS]


@pytest.mark.slow
def test_no_other_module_knows_a_variable_of_the_environment_by_its_name():
    for file in (REPOSITORY / "platform_resources").rglob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        named = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
        variables = {text for text in named if re.fullmatch(r"(MESH|SNOWFLAKE)_[A-Z_]+|DAGSTER_HOME", text)}
        assert variables == ({setting.name for setting in SETTINGS} if file.name == "settings.py" else set()), file


# Links


def anchors(page: Path) -> set[str]:
    """Headings as a web page names them: lower case, - for spaces, without punctuation."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    heads = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_relative_link_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path) if path else page
        assert file.exists(), f"{name_of(page)}: {target}"
        assert not anchor or anchor in anchors(file), f"{name_of(page)}: {target}"


# Examples


def labelled(text: str) -> dict[str, str]:
    """Fenced blocks that follow a line with nothing but their path."""
    return dict(re.findall(r"^`([^`\n]+)`:\n\n```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL))


EXAMPLE = labelled(START)


def test_the_example_by_hand_is_a_valid_product(tmp_path):
    plan, problems = read_plan(write_mesh(tmp_path, EXAMPLE))
    assert problems_text(problems) == ""
    assert [product.name for product in plan.products] == ["door_counts"]


def test_the_mistake_by_hand_is_told_as_the_page_says(tmp_path):
    files = {path: text.replace("dimension: uniqueness", "dimension: uniquness") for path, text in EXAMPLE.items()}
    _, problems = read_plan(write_mesh(tmp_path, files))
    assert "\n".join(f"    {line}" for line in problems_text(problems).splitlines()) in START


@pytest.mark.slow
def test_the_example_by_hand_publishes_what_the_page_says(tmp_path):
    from tests.refresh.running import mesh, mesh_json  # imports Dagster, which takes seconds

    root = write_mesh(tmp_path, EXAMPLE)
    sums = ("query", "door_counts", "select store_id, sum(visitors) as visitors from door_counts group by all order by all")
    assert f'mesh {sums[0]} {sums[1]} "{sums[2]}"' in START
    assert mesh(root, "refresh", "door_counts").returncode == 0
    assert [tuple(row.values()) for row in mesh_json(root, *sums)] == [(292, 2391), (367, 893)]


def example_module(path: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module of CONTRIBUTING as if it lay in a package where the page says."""
    name = path.removesuffix(".py").replace("/", ".")
    module = ModuleType(name)
    exec(compile(labelled(CONTRIBUTING)[path], path, "exec"), module.__dict__)
    monkeypatch.setitem(sys.modules, name, module)
    return module


CAPABILITIES = [path for path in labelled(CONTRIBUTING) if path.startswith("acme_mesh/")]


@pytest.mark.parametrize("path", CAPABILITIES)
def test_the_capabilities_of_contributing_read_their_examples(path, monkeypatch):
    _, kind, _ = path.split("/")
    capability = example_module(path, monkeypatch).CAPABILITY
    known = installed_registry().by_kind
    registry = Registry({**known, kind: {**known[kind], capability.name: capability}})
    text = document("- name: sales\n  type: domain", "- name: shop\n  type: data-product", capability.example)
    reading = read_product(text, "product.yaml", registry)
    assert problems_text(reading.problems) == ""
    assert capability.name not in known[kind], "the page shows how to add something that is not there yet"


@pytest.mark.slow
def test_the_tests_of_contributing_pass(tmp_path, monkeypatch):
    for path in CAPABILITIES:
        example_module(path, monkeypatch)
    found = {path: text for path, text in labelled(CONTRIBUTING).items() if path.startswith("tests/")}
    for path, text in found.items():
        (tmp_path / Path(path).name).write_text(text, encoding="utf-8")
    assert len(found) == len(CAPABILITIES) == 4
    assert pytest.main(["-q", "-p", "no:cacheprovider", "--import-mode=importlib", "--rootdir", str(tmp_path), str(tmp_path)]) == 0


def test_the_examples_of_contributing_would_pass_its_own_checks(tmp_path):
    for path, text in labelled(CONTRIBUTING).items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    settings = ["--no-cache", "--config", str(REPOSITORY / "pyproject.toml"), str(tmp_path)]
    for command in (["check", "--select", "E,F,W,UP,B,SIM,RUF,RET,N"], ["format", "--check"]):
        done = subprocess.run([sys.executable, "-m", "ruff", *command, *settings], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


def test_the_version_is_the_same_in_every_file_that_names_it():
    (version,) = re.findall(r'^version = "(.+)"$', (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    released = re.findall(r"^## \[(\d.+)\] - \d{4}-\d\d-\d\d$", (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    locked = re.findall(
        r'^name = "platform-resources"\nversion = "(.+)"$', (REPOSITORY / "uv.lock").read_text(encoding="utf-8"), re.MULTILINE
    )
    images = re.findall(r'/mesh, tag: "(.+?)"', (REPOSITORY / "deploy/kubernetes/values.yaml").read_text(encoding="utf-8"))
    assert images and {*released[:1], *locked, *images} == {version}
