"""The criteria of the letter secure: whether everybody gets what they may, and nothing else."""

from platform_resources.capabilities.score_facts import Criterion, Finding, Letter, ScoreFacts, none_yet, share_of
from platform_resources.spec.values.durations import length_text
from platform_resources.spec.values.field_types import UNCLASSIFIED


class Classified(Criterion):
    """Every column has a class."""

    name = "columns-are-classified"
    letter: Letter = "secure"
    points = 20
    effort = 1
    raised_by = "classify each column: mesh classify proposes classes"

    def finding(self, facts: ScoreFacts) -> Finding:
        columns = [column for data_set in facts.data_sets.values() for column in data_set.columns]
        if not columns:
            return none_yet("no columns", "declare the columns of its data sets")
        without = [column.name for column in columns if column.classification == UNCLASSIFIED]
        observed = f"without a class: {', '.join(without[:5])}{' …' if len(without) > 5 else ''}" if without else "none is without a class"
        return Finding(share_of(len(columns) - len(without), len(columns)), f"{len(columns)} columns", observed)


class Detected(Criterion):
    """Detectors that look through its data find no personal column that is not classified as such."""

    name = "detectors-find-nothing"
    letter: Letter = "secure"
    points = 20
    raised_by = "look at what mesh classify finds: classify it, or say why it is none (declassified)"

    def finding(self, facts: ScoreFacts) -> Finding:
        declared = f"{len(facts.hidden)} columns are classified as not to be told"
        if facts.unclassified is None:
            return none_yet(declared, "the evaluation after a version is published looks through its data")
        observed = (
            f"not classified so: {', '.join(facts.unclassified)}" if facts.unclassified else "detectors find no other in the newest version"
        )
        return Finding(float(not facts.unclassified), declared, observed)


class Governed(Criterion):
    """Nobody outside sees a personal column in the clear, unless an agreement gives it to a role. One that detectors find is one, too."""

    name = "personal-columns-have-a-policy"
    letter: Letter = "secure"
    points = 20
    raised_by = "let no class of personal data be clear to others, and offer a role of an agreement instead"

    def finding(self, facts: ScoreFacts) -> Finding:
        declared = f"{len(facts.hidden)} personal columns"
        if facts.published_at is None:
            return none_yet(declared, "no version is published whose views could be looked at")
        if not facts.hidden and facts.unclassified is None:
            return none_yet(declared, "nobody has looked yet whether there is none")
        unclassified = [
            column for column in facts.unclassified or () if column.partition(" (")[0] not in {hidden.column for hidden in facts.hidden}
        ]
        if not facts.hidden and not unclassified:
            return Finding(1.0, declared, "there is none to protect")
        bad = [*(hidden.column for hidden in facts.hidden if hidden.open_to_others), *unclassified]
        clear = sorted({role for hidden in facts.hidden for role in hidden.roles_in_clear})
        observed = (
            f"clear to everybody: {', '.join(bad)}"
            if bad
            else f"masked or left out; in the clear for: {', '.join(clear) or 'nobody outside'}"
        )
        every = len(facts.hidden) + len(unclassified)
        return Finding(share_of(every - len(bad), every), declared, observed)


class Tight(Criterion):
    """Values of hidden columns, looked up in what each role receives, are not there."""

    name = "canary-scan"
    letter: Letter = "secure"
    points = 20
    effort = 5
    raised_by = "find out by which column the value gets out, and classify that"

    def finding(self, facts: ScoreFacts) -> Finding:
        declared = f"{len(facts.hidden)} hidden columns"
        if facts.leaks is None:
            return none_yet(declared, "a version has to be published in which hidden values could be looked up in the views of roles")
        return Finding(float(not facts.leaks), declared, "; ".join(facts.leaks) or "no hidden value is in what roles receive")


class Agreed(Criterion):
    """Each consumer holds a grant that is in force, with a purpose."""

    name = "consumers-hold-agreements"
    letter: Letter = "secure"
    points = 15
    raised_by = "renew or revoke what has expired, and have consumers ask for access with a purpose: mesh access list"

    def finding(self, facts: ScoreFacts) -> Finding:
        declared = f"{len(facts.agreements)} agreements" if facts.agreements else "no agreement"
        if not facts.consumed:
            return none_yet(declared, "nobody outside of its team has read it, or has a grant")
        bad = [f"{consumed.name} {consumed.why_not}" for consumed in facts.consumed if consumed.why_not]
        good = len(facts.consumed) - len(bad)
        return Finding(share_of(good, len(facts.consumed)), declared, "; ".join(bad[:5]) or f"all {good} consumers do")


class Forgetting(Criterion):
    """It says how long versions are kept at most, and keeps none longer."""

    name = "retention-is-met"
    letter: Letter = "secure"
    points = 5
    effort = 1
    raised_by = "say a retention at its output ports"

    def finding(self, facts: ScoreFacts) -> Finding:
        if facts.retention is None:
            return none_yet("no retention", "without a declared retention nothing can be met")
        declared = f"at most {length_text(facts.retention)}"
        if facts.overdue_versions is None:
            return none_yet(declared, "no version is published")
        observed = f"kept longer: {', '.join(facts.overdue_versions)}" if facts.overdue_versions else "no version is older"
        return Finding(float(not facts.overdue_versions), declared, observed)


CAPABILITIES = (Classified(), Detected(), Governed(), Tight(), Agreed(), Forgetting())
