"""What is installed is enough: the wheel in an empty environment begins a mesh, and publishes a product from a file."""

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.meshes import REPOSITORY

pytestmark = pytest.mark.slow
UV = str(Path(sys.executable).with_name("uv"))
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
SECTION = README[README.index("## A product of your own") : README.index("## What is where")]
COMMANDS = (*re.findall(r"^    mesh (.+)$", SECTION, re.MULTILINE), *re.findall(r"run `mesh (.+?)`", SECTION))
(VISITS,) = re.findall(r"^```csv\n(.*?)^```", SECTION, re.MULTILINE | re.DOTALL)
(TWICE,) = re.findall(r"Add the line `(.+?)` a second time", SECTION)
(GUESS,) = re.findall(r"^ +(primary_key: .+)$", SECTION, re.MULTILINE)
PRINTED = re.findall(r"^    ((?:visits.csv:|key:|wrote) .+)$", SECTION, re.MULTILINE)
(CLOSED,) = re.findall(r"^ +(Every row .+)$", SECTION, re.MULTILINE)


def run(*command: str | Path, folder: Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    """As in a shell of somebody who has nothing of this repository."""
    left_out = ("MESH_", "PYTHON", "DAGSTER_", "VIRTUAL_ENV", "UV_PROJECT")
    own = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    nothing = subprocess.DEVNULL
    done = subprocess.run(command, cwd=folder, env=own, capture_output=True, text=True, timeout=600, stdin=nothing, check=False)
    assert done.returncode == code, f"{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="module")
def mesh(tmp_path_factory):
    """The path of `mesh` in an environment of its own, with the wheel and the locked versions of what it needs."""
    folder = tmp_path_factory.mktemp("wheel")
    run(UV, "build", "--quiet", "--wheel", "--out-dir", str(folder), str(REPOSITORY), folder=folder)
    (wheel,) = folder.glob("*.whl")
    locked = run(UV, "export", "--quiet", "--frozen", "--no-dev", "--no-hashes", "--no-emit-project", folder=REPOSITORY).stdout
    (folder / "locked.txt").write_text(locked)
    run(UV, "venv", "--quiet", "--python", sys.executable, "env", folder=folder)
    install = (UV, "pip", "install", "--quiet", "--python", "env/bin/python", "--constraints", "locked.txt", str(wheel))
    run(*install, folder=folder)
    return folder / "env/bin/mesh"


def test_an_installed_wheel_does_what_the_readme_says(mesh, tmp_path):
    released = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert run(mesh, "--version", folder=tmp_path).stdout == f"mesh {released}\n"
    (init, new, query, refresh), shop = map(shlex.split, COMMANDS), tmp_path / "shop"
    assert (init[:2], new[:3], query[0], refresh[0]) == (["init", "shop"], ["new", "product", "--from"], "query", "refresh")
    run(mesh, *init, folder=tmp_path)
    (shop / "visits.csv").write_text(VISITS)
    written = run(mesh, *new, folder=shop).stderr
    for line in PRINTED:
        assert line in written
    assert "published   visits" in written
    (health,) = json.loads(run(mesh, "status", "--json", folder=shop).stdout)
    assert (health["product"], health["status"], {check["verdict"] for check in health["checks"]}) == ("visits", "healthy", {"met"})
    assert GUESS in (shop / "dataproducts/shop/visits/product.yaml").read_text()
    sums = [{"store_id": 292, "visitors": 2391}, {"store_id": 367, "visitors": 893}]
    assert json.loads(run(mesh, *query, "--json", folder=shop).stdout) == sums

    (shop / "visits.csv").write_text(f"{VISITS}{TWICE}\n")
    closed = run(mesh, *refresh, folder=shop, code=1).stderr
    assert "gate closed visits" in closed and CLOSED in closed
    assert json.loads(run(mesh, *query, "--json", folder=shop).stdout) == sums
