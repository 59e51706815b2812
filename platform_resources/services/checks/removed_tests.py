"""Find imported tests that are no longer in the dbt project they came from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from platform_resources.dbt.imported.artefacts import Artefacts
from platform_resources.dbt.imported.matching import Matched, Refused
from platform_resources.ledger.records import Check, check_id


@dataclass(frozen=True, slots=True)
class ImportedFrom:
    """Where an imported check came from: dbt's id of the test, its project, and its last run."""

    check: Check
    unique_id: str
    project: str
    at: datetime


def removed_checks(known: Sequence[ImportedFrom], artefacts: Artefacts, belonging: Mapping[str, Matched | Refused]) -> tuple[Check, ...]:
    """The project's checks whose tests are gone from its manifest, or now report as another check.

    A test that merely did not run this time is in the manifest. An import that is older than what is known of the project says nothing.
    """
    own = [origin for origin in known if artefacts.project and origin.project == artefacts.project]
    if any(origin.at > artefacts.at for origin in own):
        return ()
    ran = {result.test.unique_id for result in artefacts.results}
    return tuple(origin.check for origin in own if _is_removed(origin, belonging, ran))


def _is_removed(origin: ImportedFrom, belonging: Mapping[str, Matched | Refused], ran: set[str]) -> bool:
    """One whose product cannot be told now stays; one that moved is gone here as soon as it has said something there."""
    match belonging.get(origin.unique_id):
        case None:
            return True
        case Matched() as match:
            return origin.unique_id in ran and check_id(match.key, match.check) != origin.check.id
        case Refused():
            return False
