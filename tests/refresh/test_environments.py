"""Environments of one definition, on both engines: what docs/operations.md says to do is done, and what one has the other does not see."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from platform_resources.publications.published_versions import shelf
from tests.forked_commands import MESH, forked
from tests.meshes import REPOSITORY, TINY_MESH, component, indented, product_file, write_mesh
from tests.refresh.running import CSV, batch, deliver, environment, mesh
from tests.snowflake_server import snowflake_server

pytestmark = pytest.mark.slow
SPEC = product_file("plant", "readings")
NEW = component("measurements_csv", "output-port", "interface: file\nformat: csv\ndata_set: measurements")
ONCE, PROMOTED = (
    [shlex.split(line) for line in block.strip().splitlines()]
    for block in re.findall(
        r"\n\n((?:    .+\n)+)",
        (REPOSITORY / "docs/operations.md").read_text(encoding="utf-8").partition("## Environments")[2].partition("\n## ")[0],
    )[:2]
)


@pytest.fixture(params=["duckdb", "snowflake"])
def environments(request, tmp_path):
    """The variables of development and of production; each has its state in a folder of its own."""
    places = {
        name: {"MESH_TARGET": request.param, "MESH_STATE": str(tmp_path / f"state of {name}"), "SNOWFLAKE_DATABASE": name.upper()}
        for name in ("development", "production")
    }
    if request.param == "duckdb":
        yield places
        return
    with snowflake_server(tmp_path / "log") as server:
        yield {name: {**server, **place} for name, place in places.items()}


def tagged(root, tag):
    for command in ("add --all", f"commit --quiet --message {tag}", f"tag {tag}"):
        subprocess.run(["git", "-c", "user.name=Ana", "-c", "user.email=ana@example.com", *command.split()], cwd=root, check=True)


def development(folder):
    """A repository whose second tag has a new port, and whose third one takes it away and does not say so."""
    parts = {path: text for path, text in TINY_MESH.items() if "office" not in path and not path.endswith(".csv")}
    root = write_mesh(folder / "development", {**parts, ".gitignore": "landing/\ntarget/\n_*.yml\n"})
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    tagged(root, "v1.1.0")
    first = (root / SPEC).read_text()
    (root / SPEC).write_text(first.replace("version: 1.1.0", "version: 1.2.0") + indented(NEW, 4) + "\n")
    tagged(root, "v1.2.0")
    (root / SPEC).write_text(first.replace("version: 1.1.0", "version: 1.3.0"))
    tagged(root, "v1.3.0")
    subprocess.run(["git", "checkout", "--quiet", "v1.2.0"], cwd=root, check=True)
    return root


def followed(commands, root, variables, tag=None):
    """Do what the documentation says; gives what each command of `mesh` said."""
    said = []
    for command in commands:
        if command[0] == "git":
            subprocess.run([part if tag is None or not part.startswith("v1.") else tag for part in command], cwd=root, check=True)
        elif command[0] == "mesh":
            assert command[1:3] == ["--root", "../production"], command
            deliver_to(root.parent / "production", 5)
            said.append(mesh(root.parent / "production", *command[3:], **variables))
        else:
            assert command == ["set", "-a;", ".", "../production.env"], "the variables are those of production"
    return said


def deliver_to(root, rows):
    (root / CSV).parent.mkdir(parents=True, exist_ok=True)
    deliver(root, batch(20, rows))


def versions(variables, monkeypatch):
    """Which versions of the product the environment has published, with the rows of their ports."""
    with monkeypatch.context() as changes:
        for name, value in variables.items():
            changes.setenv(name, value)
        published = shelf(Path(variables["MESH_STATE"]), "plant", "readings").published()
        return [(each.product_version, each.ports[0].rows) for each in published]


def test_a_version_goes_from_development_to_production_by_its_tag_and_nothing_is_copied(environments, monkeypatch, tmp_path):
    root, ours, theirs = development(tmp_path), environments["development"], environments["production"]
    deliver_to(root, 4)
    done = mesh(root, "refresh", "readings", **ours)
    assert done.returncode == 0, done.stderr
    assert (versions(ours, monkeypatch), versions(theirs, monkeypatch)) == ([("1.2.0", 4)], [])

    (refreshed,) = followed(ONCE, root, theirs)
    assert refreshed.returncode == 0, refreshed.stderr
    assert (versions(ours, monkeypatch), versions(theirs, monkeypatch)) == ([("1.2.0", 4)], [("1.1.0", 5)])

    checked, refreshed = followed(PROMOTED, root, theirs)
    assert (checked.returncode, refreshed.returncode) == (0, 0), (checked.stdout, checked.stderr, refreshed.stderr)
    assert "measurements_csv" in checked.stdout, "production is compared with what it has published itself"
    assert versions(theirs, monkeypatch) == [("1.1.0", 5), ("1.2.0", 5)] and versions(ours, monkeypatch) == [("1.2.0", 4)]

    (checked,) = followed(PROMOTED[:2], root, theirs, "v1.3.0")
    assert checked.returncode == 1 and "measurements_csv" in checked.stdout, checked.stdout
    states = [tmp_path / f"state of {name}" for name in environments]
    assert all((state / ".mesh/ledger.sqlite").is_file() and (state / ".dagster").is_dir() for state in states)
    assert not any((root.parent / name / part).exists() for name in environments for part in ("ports", "warehouse", ".mesh", ".dagster"))


WALK = re.findall(
    r"(?:^|\n\n)((?:    .+\n)+)",
    (REPOSITORY / "docs/snowflake.md")
    .read_text(encoding="utf-8")
    .partition("## The first product in fifteen minutes")[2]
    .partition("\n## ")[0],
)
VISITS = "store_id,day,visitors\n292,2026-11-16,1204\n292,2026-11-17,1187\n367,2026-11-16,893\n367,2026-11-17,\n"


def test_the_first_product_on_snowflake_is_made_by_the_commands_of_the_documentation(tmp_path):
    """But for the keys, what installs, and what only an account has: roles. `said` are the variables that lead to the stand-in."""
    (tmp_path / "visits.csv").write_text(VISITS)
    commands = [shlex.split(line) for block in WALK for line in block.splitlines()]
    assert [words[0] for words in commands][:5] == ["openssl", "openssl", "pip", "export", "export"]
    said = {word.partition("=")[0] for words in commands if words[0] == "export" for word in words[1:]}
    folder, asked = tmp_path, []
    with snowflake_server(tmp_path / "log") as server:
        assert said - {"SNOWFLAKE_PRIVATE_KEY_PATH"} <= server.keys()
        for words in commands:
            if words[0] == "cd":
                folder = folder / words[1]
            elif words[0] == "mesh" and words[1] != "access":
                done = forked([*MESH, *words[1:]], environment(**server), folder)
                assert done.returncode == 0, (words, done.stdout, done.stderr)
                asked.append(done.stdout + done.stderr)
    assert "published   visits" in asked[1] and "healthy" in asked[2] and "2391" in asked[3]
    assert ("SHOP__SHOP__VISITS.PORTS.visits" in asked[4] and "published   visits" in asked[-1]) or "unchanged" in asked[-1], asked
