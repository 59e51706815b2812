"""`mesh init` and `mesh new` on the command line: what is asked, what is refused, what is printed."""

import io
import os
import pty
import subprocess

import pytest

from platform_resources.cli.starting import answered
from platform_resources.cli.terminal.console import Stop
from platform_resources.scaffolding.product_files import Guesses
from platform_resources.scaffolding.source_columns import Guess
from platform_resources.services.starting.new_meshes import new_domain, new_mesh
from tests.refresh.running import MESH, environment, mesh

VISITS = "store_id,day,mail\n1,2026-11-16,a@example.com\n1,2026-11-17,b@example.com\n2,2026-11-16,b@example.com\n2,2026-11-17,\n"


@pytest.fixture
def root(tmp_path):
    new_mesh(tmp_path / "shop", None, None)
    (tmp_path / "shop/visits.csv").write_text(VISITS)
    return tmp_path / "shop"


def test_what_can_be_typed_wrongly_is_refused_with_a_way_out(root):
    file = str(root / "visits.csv")
    asked = mesh(root, "new", "product", "--from", file)
    assert (asked.returncode, asked.stderr) == (3, "there is no terminal to ask on; --yes takes all guesses\n")
    nothing = mesh(root, "new", "product", "--yes")
    assert (nothing.returncode, nothing.stderr) == (3, "say what it is made from: --from FILE\n")
    new_domain(root, "finance", None)
    whose = mesh(root, "new", "product", "--yes", "--from", file)
    assert (whose.returncode, whose.stderr) == (3, "say whose product it is: --domain finance or shop\n")
    again = mesh(root, "init", str(root))
    assert again.returncode == 3 and "README.md" in again.stderr and "nothing is overwritten" in again.stderr
    assert mesh(root, "new", "domain", "hr").returncode == 0


def test_a_workspace_that_the_platform_did_not_write_is_left_to_the_reader(root):
    (root / "workspace.yaml").write_text("load_from: {python_file: a.py}\n")
    done = mesh(root, "new", "domain", "hr")
    assert (done.returncode, "add {python_file: {relative_path: dataproducts/hr/definitions.py, location_name: hr}}" in done.stderr) == (
        0,
        True,
    )
    assert (root / "workspace.yaml").read_text() == "load_from: {python_file: a.py}\n"


def test_a_terminal_is_asked_and_no_is_an_answer(root):
    ours, theirs = pty.openpty()
    os.write(ours, b"\ny\nn\nn\n")  # its name, the key, people, whether to write
    command = [*MESH, "--root", str(root), "new", "product", "--from", str(root / "visits.csv")]
    done = subprocess.run(command, stdin=theirs, capture_output=True, text=True, env=environment(), timeout=300, check=False)
    os.close(ours)
    os.close(theirs)
    for question in (
        "What is it called? [visits]",
        "Does store_id, day identify a row? [Y/n]",
        "About people, so that values are not shown: mail; is it so? [Y/n]",
        "Write it, and publish",
    ):
        assert question in done.stderr
    assert done.returncode == 0 and done.stderr.endswith("nothing was written\n")
    assert not list(root.glob("dataproducts/*/visits"))


LOW, HIGH = Guess("word", "low", "unique in all 4 rows"), Guess("order_id", "high", "unique in all 400 rows")
TIME, MAIL = Guess("changed", "high", "its name says when a row changed"), {"mail": Guess("personal", "high", "by its name")}


@pytest.mark.parametrize(
    ("typed", "key", "promised", "updated_at", "classes"),
    [
        ("\n\n\n\n", HIGH, ("order_id",), "changed", {"mail": "personal"}),
        ("n\nn\nn\ny\n", HIGH, (), None, {}),
        ("\n\n\n\n", LOW, (), "changed", {"mail": "personal"}),
        ("y\n\n\n\n", LOW, ("word",), "changed", {"mail": "personal"}),
    ],
)
def test_what_is_answered_is_written_and_no_guess_any_more(monkeypatch, typed, key, promised, updated_at, classes):
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    found = answered(Guesses(((key.value,), key), TIME, MAIL))
    values = {name: guess.value for name, guess in found.classes.items()}
    assert (found.promised_key, found.updated_at and found.updated_at.value, values) == (promised, updated_at, classes)
    assert not any(guess and guess.mark() for guess in (found.key and found.key[1], found.updated_at, *found.classes.values()))


def test_who_does_not_want_it_gets_nothing(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    with pytest.raises(Stop) as stopped:
        answered(Guesses(None, None, {}))
    assert stopped.value.code == 0
