"""The criteria of the letter discoverable: whether people find the product, and see at once what it is for."""

from platform_resources.capabilities.score_facts import Criterion, Finding, Letter, ScoreFacts, none_yet, share_of

LONG_ENOUGH, TOP, TAGS = 40, 5, 2


class Indexed(Criterion):
    """Search knows it, with its domain and an owner."""

    name = "indexed-with-owner"
    letter: Letter = "discoverable"
    points = 25
    effort = 1
    raised_by = "name a business and a technical owner, under owners"

    def finding(self, facts: ScoreFacts) -> Finding:
        declared = f"domain {facts.domain}, " + (f"owners {', '.join(facts.owners)}" if facts.owners else "no owner")
        if facts.search_place is None and not facts.search_words:
            return none_yet(declared, "the next evaluation searches for it")
        return Finding(float(bool(facts.domain and facts.owners)), declared, "it is in the index of search")


class Purposeful(Criterion):
    """Its purpose says something: 40 characters or more, and not what its name or its description says."""

    name = "purpose-says-something"
    letter: Letter = "discoverable"
    points = 20
    effort = 1
    raised_by = f"say under purpose what the product is for, in {LONG_ENOUGH} characters or more"

    def finding(self, facts: ScoreFacts) -> Finding:
        purpose = " ".join(facts.info.purpose.split())
        new_words = set(purpose.casefold().split()) - set(f"{facts.title} {facts.product}".casefold().split())
        said = len(purpose) >= LONG_ENOUGH and len(new_words) >= TAGS * 2 and purpose != " ".join(facts.info.description.split())
        return Finding(float(said), f"purpose: {purpose or 'none'}", f"{len(purpose)} characters, {len(new_words)} words beside its title")


class Found(Criterion):
    """Whoever searches for its own terms finds it among the first five."""

    name = "found-by-its-terms"
    letter: Letter = "discoverable"
    points = 20
    raised_by = "use in title, description and tags the words that people search by"

    def finding(self, facts: ScoreFacts) -> Finding:
        declared = f"its terms: {facts.search_words}" if facts.search_words else "it has neither tags nor a title"
        if facts.search_place is None:
            what = (
                f"a search for them does not give it among the first {TOP}" if facts.search_words else "the next evaluation searches for it"
            )
            return Finding(0.0, declared, what) if facts.search_words else none_yet(declared, what)
        return Finding(float(facts.search_place <= TOP), declared, f"a search for them gives it in place {facts.search_place}")


class Tagged(Criterion):
    """Two of its tags are terms of the mesh, which governance.yaml defines."""

    name = "tags-of-the-mesh"
    letter: Letter = "discoverable"
    points = 10
    effort = 1
    raised_by = "tag it with two terms that governance.yaml defines, or have them defined there"

    def finding(self, facts: ScoreFacts) -> Finding:
        declared = f"tags: {', '.join(facts.info.tags) or 'none'}"
        if not facts.terms:
            return none_yet(declared, "governance.yaml defines no terms")
        known = [tag for tag in facts.info.tags if tag in facts.terms]
        return Finding(min(1.0, len(known) / TAGS), declared, f"of these governance.yaml defines: {', '.join(known) or 'none'}")


class Placed(Criterion):
    """It says in which stage of its life it is, and of which archetype."""

    name = "stage-and-archetype"
    letter: Letter = "discoverable"
    points = 10
    effort = 1
    raised_by = "say its archetype: source-aligned, aggregate or consumer-aligned"

    def finding(self, facts: ScoreFacts) -> Finding:
        info = facts.info
        said = "lifecycle" in info.model_fields_set and info.archetype is not None
        return Finding(
            float(said), f"{info.lifecycle}, {info.archetype or 'no archetype'}", "both can be filtered by" if said else "one is missing"
        )


class Tried(Criterion):
    """At least one of its sample queries runs, and gives rows."""

    name = "a-sample-query-runs"
    letter: Letter = "discoverable"
    points = 15
    raised_by = "add a sample-query that gives rows"

    def finding(self, facts: ScoreFacts) -> Finding:
        declared = f"{len(facts.sample_queries)} sample queries"
        if not facts.queries:
            return none_yet(
                declared, "the evaluation after a version is published runs them" if facts.sample_queries else "there is none to run"
            )
        well = sum(ran.well for ran in facts.queries.values())
        return Finding(float(well > 0), declared, f"{well} of {len(facts.queries)} give rows ({share_of(well, len(facts.queries)):.0%})")


CAPABILITIES = (Indexed(), Purposeful(), Found(), Tagged(), Placed(), Tried())
