"""Stages of life: what the company requires of each, who signs it off, and who claims one without that."""

import json
import shutil

import pytest

from platform_resources.cli.terminal.console import CANNOT_RUN, FINE, MISSED, SPEC_INVALID
from platform_resources.repository.mesh_folders import GOVERNANCE
from tests.meshes import edited, product_file

FILE, OWNER = product_file("plant", "readings"), "plant-lead@example.com"
STAGES = """
stages:
  - {stage: production, needs: [production-is-complete], signed_by: [business, dpo@example.com]}
  - {stage: deprecated, needs: [a-sample-query-runs]}
"""


def run(mesh, *arguments):
    done = mesh.mesh(*arguments)
    return getattr(done.exception, "code", done.exit_code), " ".join(done.output.split())


def test_a_stage_is_claimed_in_vain_until_everybody_has_signed_it_off(published):
    assert run(published, "validate", "readings")[0] == FINE
    (published.root / GOVERNANCE).write_text(STAGES)
    assert run(published, "release", "stages", "summary")[0] == FINE, "which makes the ledger"
    code, told = run(published, "validate", "readings")
    assert code == SPEC_INVALID and "as production it lacks: dpo@example.com has not signed it off" in told, told
    assert f"mesh release sign readings production --by {OWNER}" in told

    code, told = run(published, "release", "sign", "readings", "production", "--by", "eve@example.com")
    assert (
        code == MISSED and f"eve@example.com does not sign readings off as production: it is signed off by {OWNER}, dpo@example.com" in told
    )
    assert run(published, "release", "sign", "readings", "live")[0] == CANNOT_RUN
    for person in (OWNER.upper(), "dpo@example.com"):
        assert run(published, "release", "sign", "readings", "production", "--by", person, "--why", "Looked at.")[0] == FINE
    assert run(published, "validate", "readings")[0] == FINE
    production, deprecated = json.loads(published.mesh("release", "stages", "readings", "--json").stdout)
    assert [signed["person"] for signed in production["signed"]] == [OWNER.upper(), "dpo@example.com"] and production["missing"] == []
    assert deprecated["missing"] == ["criterion a-sample-query-runs was not looked at yet: mesh evaluate does"] and not deprecated["is_now"]

    assert run(published, "release", "sign", "readings", "production", "--by", "dpo@example.com", "--end", "--why", "An error.")[0] == FINE
    code, told = run(published, "validate", "readings")
    assert code == SPEC_INVALID and "dpo@example.com has not signed it off" in told and OWNER not in told


def test_a_release_that_claims_a_stage_without_what_it_requires_is_refused(published, tmp_path_factory):
    before = shutil.copytree(published.root, tmp_path_factory.mktemp("before") / "mesh", symlinks=True)
    (published.root / GOVERNANCE).write_text(STAGES)
    code, told = run(published, "release", "check", "readings", "--against", before)
    assert (
        code == MISSED
        and "It may not be released like this" in told
        and "as production it lacks: dpo@example.com has not signed it off" in told
    )
    edited(published.root, FILE, "support: {runbook: README.md#when-it-breaks}", "support: {}")
    code, told = run(published, "release", "stages", "readings")
    assert code == SPEC_INVALID and "a product in production needs a runbook" in told, "by its documents alone it is not planned"


@pytest.mark.parametrize(
    ("stage", "said"), [("draft", "missing: a product in production needs a runbook"), ("production", "nothing is missing")]
)
def test_what_the_next_stage_requires_is_known_before_it_is_claimed(published, stage, said):
    if stage == "draft":
        edited(published.root, FILE, "lifecycle: production", "lifecycle: draft")
        edited(published.root, FILE, "support: {runbook: README.md#when-it-breaks}", "support: {}")
    code, told = run(published, "release", "stages", "readings")
    assert code == FINE and said in told, told
