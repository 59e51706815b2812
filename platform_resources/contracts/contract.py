"""The contract of one product: everything its consumers may rely on, as plain data and as JSON. `former` are earlier names."""

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
    """Raised for text that is not a contract of this platform; says why."""


class ContractColumn(Strict):
    """One column: `values` are the allowed ones, if promised; `tests` are other dbt tests on it, as JSON."""

    name: str
    type: str
    nullable: bool = False
    unique: bool = False
    unit: str = ""
    identifier: str = ""
    values: tuple[str, ...] | None = None
    missing: tuple[str, ...] = ()
    classification: str = ""
    tests: tuple[str, ...] = ()
    words: str = ""
    former: tuple[str, ...] = ()


class ContractDataSet(Strict):
    """One table with its key. `seen` maps each role to what it sees of each column, `rows` to its row filter."""

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
    """One output port: its data set, its place, how many versions it keeps, and for how long.

    `topic` and `address` say where it is read, where that is not the platform's doing.
    `version` is its own where it is of an older major than the product; `replacement` takes its place by `end_date`.
    """

    name: str
    data_set: str
    interface: str
    format: str = ""
    topic: str = ""
    address: str = ""
    keep_versions: int = 0
    retention_days: float | None = None
    version: str = ""
    replacement: str = ""
    end_date: date | None = None
    words: str = ""
    former: tuple[str, ...] = ()


class ContractPromise(Strict):
    """One objective or indicator target: the bounds of its value, and its other settings as JSON.

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
    """The contract of one product version. `models` are digests of its SQL models by name."""

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
        """Whether consumers may rely on it: drafts and versions 0.x promise nothing yet."""
        return self.lifecycle in ("production", "deprecated") and not self.version.startswith("0.")

    @property
    def notice_days(self) -> float:
        """How many days before a change consumers are notified: the longest notice period of all agreements."""
        return max((agreement.notice_days or 0 for agreement in self.agreements), default=0)


def contract_text(contract: Contract) -> str:
    """The contract as JSON; equal contracts give equal bytes."""
    return json.dumps(contract.model_dump(mode="json", exclude_defaults=True), sort_keys=True, ensure_ascii=False)


def contract_from(text: str) -> Contract:
    """Parse a contract. Raises ContractUnreadable."""
    try:
        return Contract.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        raise ContractUnreadable(f"{'.'.join(map(str, first['loc'])) or 'it'}: {first['msg']}") from error
