"""The files for CI of a new mesh: they are what GitHub and GitLab read, and their steps, run as written, say what a change means."""

import http.server
import os
import re
import subprocess
import threading
import urllib.parse
from contextlib import contextmanager
from pathlib import Path

import pytest
from check_jsonschema.builtin_schemas import get_builtin_schema
from jsonschema.validators import validator_for
from ruamel.yaml import YAML

from platform_resources.services.starting.new_meshes import new_mesh
from tests.forked_commands import MESH, program

GITHUB, GITLAB = ".github/workflows/mesh.yml", ".gitlab-ci.yml"
VISITS = "store_id,day,visitors\n292,2026-11-01,1204\n367,2026-11-01,893\n"


@pytest.mark.parametrize(("file", "schema"), [(GITHUB, "vendor.github-workflows"), (GITLAB, "vendor.gitlab-ci")])
def test_files_for_ci_keep_the_schema_of_who_reads_them(tmp_path, file, schema):
    new_mesh(tmp_path / "shop", None, None)
    rules = get_builtin_schema(schema)
    data = YAML(typ="safe", pure=True).load((tmp_path / "shop" / file).read_text())
    assert [error.message for error in validator_for(rules)(rules).iter_errors(data)] == []
    jobs = data["jobs"]["check"] if file == GITHUB else data["mesh"]
    jobs["scripts"] = jobs.pop("steps", None) or jobs.pop("script")
    assert list(validator_for(rules)(rules).iter_errors(data)), "the schema would take anything"


def github_steps(root: Path) -> dict[str, dict[str, object]]:
    steps = YAML(typ="safe", pure=True).load((root / GITHUB).read_text())["jobs"]["check"]["steps"]
    return {step["name"]: step for step in steps if "run" in step}


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A repository whose main branch has one product, and whose branch `change` takes a column away that consumers may use."""
    root = tmp_path_factory.mktemp("ci") / "shop"
    new_mesh(root, None, None)
    bin_folder = root / ".venv/bin"
    bin_folder.mkdir(parents=True)
    program(bin_folder / "mesh", MESH[2])
    (root / ".venv/.installed").touch()  # `make install` has nothing left to do: what it installs is tested with the wheel
    (root / "visits.csv").write_text(VISITS)
    made = run(root, ".venv/bin/mesh new product --from visits.csv --yes")
    assert made.returncode == 0, made.stderr
    git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "-m", "one product")
    git(root, "checkout", "--quiet", "-b", "change")
    return root


def outside(root: Path, **more: str) -> dict[str, str]:
    """What a runner's shell has."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MESH_", "DAGSTER_", "GIT_"))}
    return kept | {"HOME": str(root.parent), "GITHUB_STEP_SUMMARY": str(root.parent / "summary.md")} | more


REVIEWED = ("Specifications", "Policies that somebody breaks", "What consumers will notice", "Monitors: what would change")
REVIEWED = (*REVIEWED, "Access: what would change", "Sample refresh")


def git(root: Path, *arguments: str) -> None:
    who = ("-c", "user.name=ana", "-c", "user.email=ana@example.com")
    subprocess.run(["git", *who, *arguments], cwd=root, check=True, capture_output=True, env=outside(root))


def run(root: Path, script: str, shell: str = "bash", **environment: str) -> subprocess.CompletedProcess[str]:
    """As a runner does: a shell that ends with the first command that fails."""
    return subprocess.run(
        [shell, "-e", "-c", script], cwd=root, env=outside(root, **environment), capture_output=True, text=True, check=False, timeout=600
    )


def verdicts(review: str) -> dict[str, str]:
    return {title: mark for mark, title in re.findall(r"<summary>(.) (.+)</summary>", review)}


@pytest.mark.slow
def test_the_steps_of_github_review_a_change_and_post_what_it_means(shop, tmp_path):
    steps = github_steps(shop)
    assert list(steps) == ["Install the platform", "Review the change", "Show the review", "Post the review"]
    assert run(shop, steps["Install the platform"]["run"]).returncode == 0
    first = run(shop, steps["Review the change"]["run"], BASE="HEAD^", MESH_LEDGER="")
    review = (shop / ".mesh/review.md").read_text()
    assert (first.returncode, verdicts(review)) == (0, dict.fromkeys(REVIEWED, "✅")), first.stdout
    assert 'there are no products at "HEAD^" to compare with' in review and "published   visits" in review

    assert run(shop, steps["Show the review"]["run"], shell="bash").returncode == 0
    assert (shop.parent / "summary.md").read_text() == review
    gh = tmp_path / "bin/gh"
    gh.parent.mkdir()
    gh.write_text('#!/bin/sh\necho "$*" > asked; for last; do :; done; cp "$last" posted\n')
    gh.chmod(0o755)
    path = f"{gh.parent}:{os.environ['PATH']}"
    assert run(shop, steps["Post the review"]["run"], NUMBER="7", PATH=path).returncode == 0
    assert (shop / "asked").read_text() == "pr comment 7 --edit-last --create-if-none --body-file .mesh/review.md\n"
    assert (shop / "posted").read_text() == review


@contextmanager
def listener():
    """A server that answers as GitLab does where a note was made, and what it was sent."""
    sent = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            sent.append((self.path, self.headers["PRIVATE-TOKEN"], dict(urllib.parse.parse_qsl(body))))
            self.send_response(201)
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1], sent
        server.shutdown()


@pytest.mark.slow
def test_the_script_of_gitlab_reviews_a_change_and_posts_a_note_where_it_may(shop):
    job = YAML(typ="safe", pure=True).load((shop / GITLAB).read_text())["mesh"]
    product = shop / "dataproducts/shop/visits/product.yaml"
    product.write_text(re.sub(r"\n +- name: visitors\n(?: {8,}[^-\n]*\n)+", "\n", product.read_text()))
    (shop / "visits.csv").write_text(VISITS + VISITS.splitlines()[1] + "\n")
    failed = run(shop, "\n".join(job["script"]), shell="sh", CI_MERGE_REQUEST_DIFF_BASE_SHA="main")
    review = (shop / ".mesh/review.md").read_text()
    assert failed.returncode == 1, failed.stdout
    assert verdicts(review) == dict.fromkeys(REVIEWED, "✅") | {"Sample refresh": "❌"}
    assert "gate closed visits" in review
    with listener() as (port, sent):
        gitlab = {"CI_API_V4_URL": f"http://127.0.0.1:{port}/api/v4", "CI_PROJECT_ID": "5", "CI_MERGE_REQUEST_IID": "9"}
        after = "\n".join(job["after_script"])
        assert run(shop, after, shell="sh", **gitlab).returncode == 0
        assert sent == []
        posted = run(shop, after, shell="sh", **gitlab, MESH_REVIEW_TOKEN="let-me-in")
        assert posted.returncode == 0, posted.stderr
    assert sent == [("/api/v4/projects/5/merge_requests/9/notes", "let-me-in", {"body": review})]
