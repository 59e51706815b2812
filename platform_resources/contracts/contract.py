"""What consumers of one product may rely on, as plain data; as JSON too. `former` are names that a part once had."""

import json
from collections.abc import Mapping
from datetime import date

from pydantic import ValidationError

from platform_resources.spec.strict import Strict

# Another number says that contracts written before cannot be read any more.
FORM = 1
# How a role that may see a column in the clear sees it; any other word is a mask's name.
CLEAR = "clear"
# The reader of a product that has no agreement.
WITHOUT_AGREEMENT = ""


class ContractUnreadable(ValueError):
    """Raised for a text that is no contract of this platform; says why."""


class ContractColumn(Strict):
    """One column: `values` are all that it may hold, where that is promised; `tests` are other dbt tests of it, as JSON."""

    name: str
    type: str
    nullable: bool = False
    unique: bool = False
    unit: str = ""
    values: tuple[str, ...] | None = None
    missing: tuple[str, ...] = ()
    classification: str = ""
    tests: tuple[str, ...] = ()
    words: str = ""
    former: tuple[str, ...] = ()


class ContractDataSet(Strict):
    """One table with its key. `seen` tells of each role how it sees each column, `rows` under which condition rows."""

    name: str
    table: str
    key: tuple[str, ...] = ()
    updated_at: str = ""
    columns: tuple[ContractColumn, ...] = ()
    seen: Mapping[str, Mapping[str, str]] = {}
    rows: Mapping[str, str] = {}
    words: str = ""
    former: tuple[str, ...] = ()


class ContractPort(Strict):
    """One output port: where it stores which data set, how many versions it keeps, and for how long at most."""

    name: str
    data_set: str
    interface: str
    format: str = ""
    keep_versions: int = 0
    retention_days: float | None = None
    words: str = ""
    former: tuple[str, ...] = ()


class ContractPromise(Strict):
    """One objective, or the target of one indicator: the bounds that its value keeps to, and all other settings as JSON.

    `strength` is the greater, the more a miss of it says against the data.
    """

    name: str
    dimension: str
    data_set: str = ""
    columns: tuple[str, ...] = ()
    unit: str = ""
    at_least: float | None = None
    at_most: float | None = None
    strength: int = 0
    settings: str = ""
    logic: str = ""
    words: str = ""
    former: tuple[str, ...] = ()


class ContractAgreement(Strict):
    """The terms of one agreement; times in days."""

    name: str
    purpose: str = ""
    terms: str = ""
    approval: str = "owner"
    duration_days: float | None = None
    notice_days: float | None = None
    roles: tuple[str, ...] = ()
    granted: tuple[str, ...] = ()


class Contract(Strict):
    """What one version of a product promises. `models` are digests of its SQL, by the model's name."""

    form: int = FORM
    product: str
    domain: str = ""
    version: str
    lifecycle: str
    replacement: str = ""
    end_date: date | None = None
    domain_access: bool = True
    data_sets: tuple[ContractDataSet, ...] = ()
    ports: tuple[ContractPort, ...] = ()
    promises: tuple[ContractPromise, ...] = ()
    agreements: tuple[ContractAgreement, ...] = ()
    models: Mapping[str, str] = {}
    words: str = ""
    former: tuple[str, ...] = ()

    @property
    def is_binding(self) -> bool:
        """Whether somebody may rely on it: a draft and a version 0.x promise nothing yet."""
        return self.lifecycle in ("production", "deprecated") and not self.version.startswith("0.")

    @property
    def notice_days(self) -> float:
        """How long before a change its consumers hear of it: the longest notice that an agreement promises."""
        return max((agreement.notice_days or 0 for agreement in self.agreements), default=0)


def contract_text(contract: Contract) -> str:
    """As JSON, the same bytes for the same contract."""
    return json.dumps(contract.model_dump(mode="json", exclude_defaults=True), sort_keys=True, ensure_ascii=False)


def contract_from(text: str) -> Contract:
    """Raises ContractUnreadable."""
    try:
        return Contract.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        raise ContractUnreadable(f"{'.'.join(map(str, first['loc'])) or 'it'}: {first['msg']}") from error
