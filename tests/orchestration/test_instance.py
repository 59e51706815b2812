"""Where Dagster remembers, whatever DAGSTER_HOME says."""

import pytest

from platform_resources.orchestration.instance import prepared_home


@pytest.fixture(autouse=True)
def _no_home(monkeypatch):
    monkeypatch.delenv("DAGSTER_HOME", raising=False)


def test_without_a_home_the_mesh_has_its_own_with_settings(tmp_path):
    home = prepared_home(tmp_path, tmp_path)
    assert home == tmp_path / ".dagster"
    assert "granularity: run" in (home / "dagster.yaml").read_text()


def test_a_home_that_does_not_exist_yet_is_made_with_settings(tmp_path, monkeypatch):
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "elsewhere" / "history"))
    home = prepared_home(tmp_path, tmp_path)
    assert home == tmp_path / "elsewhere" / "history"
    assert (home / "dagster.yaml").exists()


def test_a_relative_home_is_made_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DAGSTER_HOME", "history")
    assert prepared_home(tmp_path, tmp_path) == tmp_path / "history"


def test_settings_that_are_there_stay(tmp_path, monkeypatch):
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: true}\n")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    assert (prepared_home(tmp_path, tmp_path) / "dagster.yaml").read_text() == "telemetry: {enabled: true}\n"


def test_the_meshs_own_settings_go_before_the_platforms(tmp_path):
    root, state = tmp_path / "mesh", tmp_path / "state"
    root.mkdir()
    (root / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    assert (prepared_home(root, state) / "dagster.yaml").read_text() == "telemetry: {enabled: false}\n"
