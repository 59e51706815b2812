"""The criteria of the letter trustworthy: whether the product promises what matters, keeps it, and is mended when it does not."""

from datetime import timedelta

from platform_resources.capabilities.score_facts import Criterion, Finding, Letter, ScoreFacts, none_yet, share_of
from platform_resources.spec.values.durations import length_text

# Within which times incidents are to be acknowledged and fixed, by how critical the product is.
TARGETS = {
    "high": (timedelta(hours=1), timedelta(hours=8)),
    "medium": (timedelta(hours=4), timedelta(days=1)),
    "low": (timedelta(days=1), timedelta(days=3)),
}
ENOUGH = timedelta(days=30)
_KINDS = (("age", "how old"), ("amount", "how much"), ("quality", "how good"))


class Promising(Criterion):
    """It promises how old its data are, how much there is, and how good they are; an objective that no data can break is none."""

    name = "three-kinds-of-promises"
    letter: Letter = "trustworthy"
    points = 20
    raised_by = "promise what is missing: freshness, volume or completeness, and a quality that bad data would break"

    def finding(self, facts: ScoreFacts) -> Finding:
        empty = [promise.title for promise in facts.promises if promise.can_fail is False]
        real = [promise for promise in facts.promises if promise.can_fail is not False]
        vouched = {kind for promise in real for kind in promise.vouches_for}
        missing = [words for kind, words in _KINDS if kind not in vouched]
        observed = [f"nothing says {' or '.join(missing)} the data are" if missing else "all three kinds"]
        observed += [f"no data could break: {', '.join(empty)}"] if empty else []
        return Finding(share_of(len(_KINDS) - len(missing), len(_KINDS)), f"{len(facts.promises)} objectives", "; ".join(observed))


class Kept(Criterion):
    """Its indicators reach their targets."""

    name = "attainment-at-target"
    letter: Letter = "trustworthy"
    points = 25
    effort = 5
    raised_by = "watch objectives by indicators with targets, and keep them"

    def finding(self, facts: ScoreFacts) -> Finding:
        with_target = [promise for promise in facts.attained if promise.state != "no target"]
        declared = f"{len(with_target)} indicators with a target"
        measured = [promise for promise in with_target if promise.state in ("met", "missed")]
        if not measured:
            return none_yet(declared, "none has enough data yet" if with_target else "an indicator with a target would tell")
        missed = [
            f"{promise.title}: {promise.percent or 0:g} % of {promise.target or 0:g} %" for promise in measured if promise.state == "missed"
        ]
        share = share_of(len(measured) - len(missed), len(with_target))
        observed = missed or [f"{len(measured)} of {len(with_target)} are met"]
        observed += ["the others have too few data"] if len(measured) < len(with_target) else []
        return Finding(share, declared, "; ".join(observed))


class Watched(Criterion):
    """Tests and monitors watch it, and everything that it is made from."""

    name = "monitor-coverage"
    letter: Letter = "trustworthy"
    points = 20
    effort = 5
    raised_by = "put tests or objectives on the inputs and models that have none, here and upstream"

    def finding(self, facts: ScoreFacts) -> Finding:
        if facts.coverage is None:
            return none_yet("nothing to watch", "it has neither inputs nor models")
        return Finding(
            facts.coverage, f"{len(facts.promises)} objectives", f"{facts.coverage:.0%} of all steps up to the source are watched"
        )


class Traced(Criterion):
    """Its newest version cites of each input which version, cursor or files it was made from."""

    name = "lineage-with-versions"
    letter: Letter = "trustworthy"
    points = 15
    raised_by = "refresh it, so that each input is pulled and recorded; inputs that are only described are not"

    def finding(self, facts: ScoreFacts) -> Finding:
        declared = f"inputs: {', '.join(facts.inputs) or 'none'}"
        if facts.traced is None:
            return none_yet(declared, "no version is published")
        if not facts.inputs:
            return none_yet(declared, "without a declared input nobody knows where the data come from")
        lost = [port for port in facts.inputs if not facts.traced.get(port)]
        observed = f"it does not say what it has of {', '.join(lost)}" if lost else "the newest version cites each"
        return Finding(share_of(len(facts.inputs) - len(lost), len(facts.inputs)), declared, observed)


class Mended(Criterion):
    """Incidents of 90 days were acknowledged and fixed in time, seen over 30 days of runs at least."""

    name = "response-in-time"
    letter: Letter = "trustworthy"
    points = 10
    effort = 5
    raised_by = "acknowledge incidents (mesh ack) and end them within the times of its criticality"

    def finding(self, facts: ScoreFacts) -> Finding:
        acknowledge, fix = TARGETS[facts.info.criticality]
        declared = f"criticality {facts.info.criticality}: acknowledged within {length_text(acknowledge)}, fixed within {length_text(fix)}"
        known = facts.answered
        if known is None or known.running_since is None or facts.now - known.running_since < ENOUGH:
            return none_yet(declared, "it has run for less than 30 days")
        if not known.incidents:
            return Finding(1.0, declared, "no incident in 90 days")
        in_time = [span is not None and span <= most for span, most in ((known.respond, acknowledge), (known.fix, fix))]
        spans = [length_text(span) if span is not None else "not known yet" for span in (known.respond, known.fix)]
        return Finding(
            share_of(sum(in_time), 2), declared, f"of {known.incidents} half were acknowledged within {spans[0]}, fixed within {spans[1]}"
        )


class Current(Criterion):
    """What its checks say is newer than twice the time between two refreshes."""

    name = "results-are-new"
    letter: Letter = "trustworthy"
    points = 10
    raised_by = "have it refreshed as often as it says (mesh status tells what keeps it)"

    def finding(self, facts: ScoreFacts) -> Finding:
        if facts.schedule is None:
            return none_yet("no schedule", "a schedule, or a promised age, says how often it should be refreshed")
        declared = f"refreshed every {length_text(facts.schedule)}"
        measured = [promise.at for promise in facts.promises if promise.at is not None]
        if not measured:
            return none_yet(declared, "no objective has a result yet")
        new = sum(facts.now - at <= 2 * facts.schedule for at in measured)
        return Finding(share_of(new, len(facts.promises)), declared, f"{new} of {len(facts.promises)} results are newer than twice that")


CAPABILITIES = (Promising(), Kept(), Watched(), Traced(), Mended(), Current())
