"""The criteria of the letter interoperable: whether the product fits to others, and to tools that are not the platform's."""

from platform_resources.capabilities.score_facts import Criterion, Finding, Letter, ScoreFacts, none_yet, share_of

# Formats that tools of any maker read.
OPEN = ("parquet", "csv", "json")


class Documentable(Criterion):
    """As a data product (ODPS) and as a data contract (ODCS) it is valid by the standards' own schemas."""

    name = "valid-standards"
    letter: Letter = "interoperable"
    points = 25
    raised_by = "mend what the schemas refuse: mesh export odcs, mesh export odps"

    def finding(self, facts: ScoreFacts) -> Finding:
        if not facts.documents:
            return none_yet("ODPS and ODCS", "the next evaluation writes and checks both")
        bad = [f"{name}: {document.errors[0]}" for name, document in facts.documents.items() if document.errors]
        share = share_of(len(facts.documents) - len(bad), len(facts.documents))
        return Finding(share, " and ".join(sorted(facts.documents)), "; ".join(bad) or "valid by their schemas")


class Lossless(Criterion):
    """Both documents, read again, are the product as it was."""

    name = "lossless-standards"
    letter: Letter = "interoperable"
    points = 20
    effort = 5
    raised_by = "tell the platform's team which part of the product is lost: mesh export, then mesh import"

    def finding(self, facts: ScoreFacts) -> Finding:
        if not facts.documents:
            return none_yet("ODPS and ODCS", "the next evaluation writes and reads both")
        lost = [name for name, document in facts.documents.items() if not document.lossless]
        observed = f"something is lost by {', '.join(lost)}" if lost else "what was read again is what was written"
        return Finding(share_of(len(facts.documents) - len(lost), len(facts.documents)), " and ".join(sorted(facts.documents)), observed)


class Joining(Criterion):
    """Its columns that are identifiers of the company hold values that their owners know."""

    name = "identifiers-join"
    letter: Letter = "interoperable"
    points = 20
    raised_by = "name the identifier of columns that others join by, and mend values that their owner does not know"

    def finding(self, facts: ScoreFacts) -> Finding:
        declared = f"identifiers: {', '.join(f'{column} is {name}' for column, name in facts.identifiers.items()) or 'none'}"
        if not facts.joined:
            return none_yet(
                declared,
                "no value was compared with its owner's yet" if facts.identifiers else "no column is an identifier of governance.yaml",
            )
        shares = ", ".join(f"{column} {share:.1%}" for column, share in facts.joined.items())
        return Finding(share_of(1, len(facts.identifiers)) * sum(facts.joined.values()), declared, f"known to their owners: {shares}")


class Open(Criterion):
    """At least one of its ports gives files in a format that any tool reads."""

    name = "open-format"
    letter: Letter = "interoperable"
    points = 15
    effort = 1
    raised_by = "add an output port with interface: file"

    def finding(self, facts: ScoreFacts) -> Finding:
        declared = f"file ports: {', '.join(facts.file_ports) or 'none'}"
        if not facts.formats:
            return none_yet(declared, "no version is published")
        having = [f"{port} is {kind}" for port, kind in facts.formats.items() if port in facts.file_ports and kind in OPEN]
        return Finding(float(bool(having)), declared, ", ".join(having) or "no port of files is published")


class Unambiguous(Criterion):
    """Each time says its zone, and columns of countries, currencies and languages hold codes of ISO."""

    name = "zones-and-codes"
    letter: Letter = "interoperable"
    points = 10
    effort = 1
    raised_by = "use timestamptz or say the zone as unit; write countries, currencies and languages as ISO codes"

    def finding(self, facts: ScoreFacts) -> Finding:
        times = [c for data_set in facts.data_sets.values() for c in data_set.columns if c.type in ("timestamp", "timestamptz")]
        vague = [column.name for column in times if column.type == "timestamp" and not column.unit]
        declared = f"{len(times) - len(vague)} of {len(times)} times say their zone"
        if facts.not_iso is None:
            return none_yet(declared, "no version is published whose codes could be looked at")
        faults = [f"without a zone: {', '.join(vague)}"] if vague else []
        faults += [f"no codes of ISO: {', '.join(facts.not_iso)}"] if facts.not_iso else []
        return Finding(float(not faults), declared, "; ".join(faults) or "no column holds other codes than ISO's")


class Honest(Criterion):
    """What broke consumers came with a new major version."""

    name = "majors-are-declared"
    letter: Letter = "interoperable"
    points = 10
    raised_by = "check releases in CI: mesh release check"

    def finding(self, facts: ScoreFacts) -> Finding:
        declared = f"version {facts.info.version}"
        if facts.undeclared_majors is None:
            return none_yet(declared, "no contract was published yet")
        observed = "; ".join(facts.undeclared_majors) or "no contract broke the one before without a new major version"
        return Finding(float(not facts.undeclared_majors), declared, observed)


CAPABILITIES = (Documentable(), Lossless(), Joining(), Open(), Unambiguous(), Honest())
