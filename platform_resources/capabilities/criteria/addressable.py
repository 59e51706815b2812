"""The criteria of the letter addressable: whether the product is where it says, now and after it has changed."""

import re

from platform_resources.capabilities.score_facts import Criterion, Finding, Letter, ScoreFacts, none_yet, share_of
from platform_resources.spec.values.versions import Version

_MAJOR = re.compile(r"(?:^|/)v\d+(?:/|$)")


class Named(Criterion):
    """It has one name in the mesh under which versions are published; linked data and contracts derive their URN from it."""

    name = "stable-urn"
    letter: Letter = "addressable"
    points = 25
    raised_by = "publish a version: mesh refresh"

    def finding(self, facts: ScoreFacts) -> Finding:
        declared = f"urn:data-product:{facts.product}"
        if facts.published_at is None:
            return none_yet(declared, "nothing is published under that name yet")
        return Finding(1.0, declared, f"its newest version is of {facts.published_at:%Y-%m-%d %H:%M} UTC")


class Readable(Criterion):
    """Each of its output ports gives the rows of its newest version to whoever reads it now."""

    name = "ports-are-readable"
    letter: Letter = "addressable"
    points = 30
    effort = 5
    raised_by = "mend the port that cannot be read"

    def finding(self, facts: ScoreFacts) -> Finding:
        declared = f"ports: {', '.join(facts.ports) or 'none'}"
        if not facts.readable:
            return none_yet(declared, "no port was read yet; the next evaluation reads each" if facts.ports else "it has no output port")
        bad = [f"{port}: {error}" for port, error in facts.readable.items() if error]
        good = len(facts.readable) - len(bad)
        return Finding(share_of(good, len(facts.ports)), declared, "; ".join(bad) or f"all {good} were read")


class Versioned(Criterion):
    """The address of each port has the major version of a semantic version in it."""

    name = "version-in-the-address"
    letter: Letter = "addressable"
    points = 15
    raised_by = "publish a version under a semantic version"

    def finding(self, facts: ScoreFacts) -> Finding:
        declared = f"version {facts.info.version}"
        if not facts.addresses:
            return none_yet(declared, "no version is published, so no port has an address")
        having = [port for port, address in facts.addresses.items() if _MAJOR.search(address.replace("\\", "/"))]
        observed = f"{len(having)} of {len(facts.addresses)} addresses have it, such as {next(iter(facts.addresses.values()))}"
        return Finding(share_of(len(having), len(facts.addresses)), declared, observed)


class Replaced(Criterion):
    """Where it is deprecated, it names another product that lives and has published."""

    name = "live-replacement"
    letter: Letter = "addressable"
    points = 10
    effort = 1
    raised_by = "name under replacement another product, which is in production and has published"

    def finding(self, facts: ScoreFacts) -> Finding:
        if facts.info.lifecycle != "deprecated":
            return Finding(1.0, "it is not deprecated", "so it needs no replacement")
        declared = f"replacement: {facts.info.replacement or 'none'}"
        if facts.replacement is None:
            return none_yet(declared, "the next evaluation looks at it")
        return Finding(float(not facts.replacement), declared, facts.replacement or "it lives, and has published")


class Kept(Criterion):
    """A former major version stays readable as long as consumers were promised."""

    name = "former-major-is-kept"
    letter: Letter = "addressable"
    points = 20
    effort = 5
    raised_by = "keep the versions of the former major until the end of its notice (keep_versions, a port beside the new one)"

    def finding(self, facts: ScoreFacts) -> Finding:
        declared = f"major {Version.parse(facts.info.version).major}"
        if facts.former_majors is None:
            return none_yet(declared, "no version is published")
        if not facts.former_majors:
            return Finding(1.0, declared, "no other major was published whose notice still runs")
        gone = [str(major) for major, readable in facts.former_majors.items() if not readable]
        good = len(facts.former_majors) - len(gone)
        return Finding(
            share_of(good, len(facts.former_majors)),
            declared,
            f"no version of major {', '.join(gone)} can be read" if gone else "all can be read",
        )


CAPABILITIES = (Named(), Readable(), Versioned(), Replaced(), Kept())
