"""The commands `mesh backup` and `mesh restore`."""

import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from platform_resources.capabilities.support.shares import bytes_text
from platform_resources.cli.terminal.console import CANNOT_RUN, mesh_of, out, stop, words
from platform_resources.cli.terminal.memory import synced
from platform_resources.repository.mesh_folders import dagster_home, mesh_root, state_folder


def backup(
    context: typer.Context,
    place: Annotated[Path, typer.Argument(help="The folder for backups; each becomes a folder of its own in it.", metavar="FOLDER")],
) -> None:
    """Back up versions, databases, the ledger and Dagster's history, while others keep working. Unchanged files take no space."""
    from platform_resources.ledger.database import LedgerUnavailable
    from platform_resources.refresh.product_locks import ProductBusy
    from platform_resources.services.backups.saved_files import BackupRefused
    from platform_resources.services.backups.saving import save

    root = mesh_root(context.obj)
    state = state_folder(root)
    home = dagster_home(state)
    try:
        made = save(state, home, place.resolve(), datetime.now(UTC), os.environ)
    except (LedgerUnavailable, ProductBusy, BackupRefused, OSError, sqlite3.Error) as error:
        stop(f"no backup was made: {error}", CANNOT_RUN)
    out.print(f"{made.folder}: {len(made.files):,} files, {bytes_text(made.bytes)}", highlight=False, soft_wrap=True)
    if not (home / "history").exists():
        words.print(f"{home} has no history of runs: where Dagster keeps it in a database, back that up by its own tool", style="yellow")
    words.print("It holds all data in the clear and the key of masks: keep it where only the platform's people can read it.", style="dim")


def restore(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="One backup, as `mesh backup` printed it.", metavar="BACKUP")],
) -> None:
    """Restore a backup into a mesh without state: an empty state folder and an empty ledger. Every file is compared first."""
    from platform_resources.ledger.database import LedgerUnavailable
    from platform_resources.services.backups.restoring import RestoreBroken, handed_over, restore, shown_again, untold
    from platform_resources.services.backups.saved_files import BackupRefused, backup_in

    root, plan = mesh_of(context)
    state, now = state_folder(root), datetime.now(UTC)
    try:
        kept = backup_in(folder.resolve())
        restore(kept, state, dagster_home(state), os.environ)
    except (BackupRefused, LedgerUnavailable, OSError) as error:
        stop(f"nothing was restored: {error}", CANNOT_RUN)
    except RestoreBroken as error:
        stop(f"only a part was restored to {state}: {error}\nTake that away, and restore again.", CANNOT_RUN)
    out.print(f"restored {len(kept.files):,} files, {bytes_text(kept.bytes)}, as of {kept.made_at}", highlight=False, soft_wrap=True)
    words.print("What was revoked or ended since then is in force again: tokens, grants, subscriptions, hooks.", style="yellow")
    if why := handed_over(state):
        advice = "refresh every product here before another machine refreshes one, which hands it over; then run `mesh access apply`"
        stop(f"restored here, but other machines do not have all of it: {why}\n{advice}", CANNOT_RUN)
    with synced(root, now) as ledger:
        newer = untold(ledger, state, plan, now)
    if newer:
        said = f"published while the backup was made, and told to nobody yet: {', '.join(newer)}; refresh these"
        words.print(said, style="yellow", highlight=False)
    if left := shown_again(state, plan, now):
        stop("\n".join(("readers do not have all of it yet; mend this and run `mesh access apply`:", *left)), CANNOT_RUN)
