"""`dg`, Dagster's command line for developers, in this repository: it loads the whole mesh as one code location."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from platform_resources.dbt.planning import read_plan
from tests.meshes import REPOSITORY

pytestmark = pytest.mark.slow


def dg(state: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "MESH_STATE": str(state), "DAGSTER_DISABLE_TELEMETRY": "1"}
    command = [str(Path(sys.executable).with_name("dg")), *arguments]
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def test_dg_lists_the_definitions_of_every_product(tmp_path):
    listed = json.loads(dg(tmp_path, "list", "defs", "--json").stdout)
    assets = {asset["asset_key"] for asset in listed["assets"]}
    plan, _ = read_plan(REPOSITORY)
    assert {"/".join(product.scorecard) for product in plan.products} <= assets
    assert {f"refresh_{product.name}" for product in plan.products if product.runs} <= {job["name"] for job in listed["jobs"]}


def test_dg_finds_the_definitions_good(tmp_path):
    assert "All definitions loaded successfully." in dg(tmp_path, "check", "defs").stdout
