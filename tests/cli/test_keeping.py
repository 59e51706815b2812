"""`mesh backup` and `mesh restore` on a terminal."""

import pytest

pytestmark = pytest.mark.slow


def test_a_backup_is_restored_into_an_empty_folder_and_nowhere_else(published, tmp_path, monkeypatch):
    place = tmp_path / "backups"
    made = published.mesh("backup", place)
    assert made.exit_code == 0, made.output
    (backup,) = (entry for entry in place.iterdir() if entry.is_dir())
    assert made.stdout.startswith(f"{backup}: ") and "has no history of runs" in made.stderr and "key of masks" in made.stderr
    there = published.mesh("restore", backup)
    assert there.exception.code == 3
    assert "nothing was restored: there is something already: " in there.stderr
    monkeypatch.setenv("MESH_STATE", str(tmp_path / "elsewhere"))
    assert published.mesh("restore", place).exception.code == 3
    restored = published.mesh("restore", backup)
    assert restored.exit_code == 0, restored.output
    assert restored.stdout.startswith("restored ")
    assert "is in force again: tokens, grants" in restored.stderr
    assert "told to nobody yet: readings; refresh" in restored.stderr.replace("\n", " "), "the fixture publishes without Dagster"
    assert "3" in published.mesh("query", "readings", "select count(*) from measurements").stdout
