"""Write the changes of a release and its affected consumers as Markdown for a pull request."""

import re
from collections.abc import Iterator, Sequence

from platform_resources.contracts.affected_consumers import AffectedConsumer
from platform_resources.contracts.change import CLASSES, ChangeClass
from platform_resources.contracts.release import Release
from platform_resources.spec.values.versions import Version

_EMPHASIS = re.compile(r"(?<!\w)_|_(?!\w)")
_HEADS: dict[ChangeClass, str] = {
    "major": "MAJOR: breaks consumers",
    "undetermined": "UNDETERMINED: nobody but a person can say",
    "minor": "MINOR: additions, or more is promised",
    "patch": "PATCH: words",
}
ENDED = "ENDED: version {} has said that it would"


def releases_text(releases: Sequence[Release], problems: Sequence[tuple[str, ...]]) -> str:
    """All releases with changes or problems; `problems` are those of each release. Equal changes give equal text."""
    changed = [(release, own) for release, own in zip(releases, problems, strict=True) if release.changes or own]
    if not changed:
        return "No consumer sees a difference.\n"
    return "\n".join(line for release, own_problems in changed for line in _release_lines(release, own_problems))


def _release_lines(release: Release, problems: Sequence[str]) -> Iterator[str]:
    now = release.new.version if release.new is not None else "gone"
    yield f"## {release.old.product}: {release.old.version} → {now}"
    yield ""
    yield _summary(release)
    yield ""
    if problems:
        yield "**It may not be released like this:**"
        yield ""
        yield from (f"- {problem}" for problem in problems)
        yield ""
    for kind in CLASSES:
        yield from _class_lines(release, kind, announced=False)
    for kind in CLASSES:
        yield from _class_lines(release, kind, announced=True)


def _summary(release: Release) -> str:
    if not release.old.is_binding:
        what = "a draft" if release.old.lifecycle in ("proposed", "draft") else f"version {release.old.version}"
        return f"It is {what}, which promises nothing yet: any change may be released."
    kind = (release.kind or "no").upper()
    declared = Version.parse(release.new.version) if release.new is not None else release.demanded
    least = f", at least version {release.demanded}" if declared < release.demanded else ""
    concerned = f" It concerns {_names(release.consumers)}." if release.consumers else ""
    return f"{kind} change{least}.{concerned}"


def _class_lines(release: Release, kind: ChangeClass, *, announced: bool) -> Iterator[str]:
    pairs = zip(release.changes, release.affected, strict=True)
    concerned = [(change, consumers) for change, consumers in pairs if change.kind == kind and change.announced == announced]
    if not concerned:
        return
    yield f"### {ENDED.format(release.old.version) if announced else _HEADS[kind]}"
    yield ""
    for change, consumers in concerned:
        place = f"`{change.place}`: " if change.place else ""
        approval = " Somebody has to approve that more is shown." if change.approval else ""
        to_do = f" What to do: {change.to_do}." if change.to_do and kind in ("major", "undetermined") else ""
        yield f"- {place}{_marked_down(change.what)}.{to_do}{approval}"
        yield from (f"  - {_consumer(consumer)}" for consumer in consumers)
    yield ""


def _consumer(consumer: AffectedConsumer) -> str:
    owners = f" (ask {', '.join(map(_marked_down, consumer.owners))})" if consumer.owners else ""
    return f"{consumer.kind} **{_marked_down(consumer.name)}** {_marked_down(consumer.why)}{owners}"


def _names(consumers: Sequence[AffectedConsumer]) -> str:
    return ", ".join(f"**{_marked_down(consumer.name)}**" for consumer in consumers)


def _marked_down(text: str) -> str:
    """What teams write is text: it neither formats a page nor names anybody there."""
    plain = " ".join(text.split())
    for mark in "\\`*[]<>|#":
        plain = plain.replace(mark, f"\\{mark}")
    return _EMPHASIS.sub(r"\_", plain).replace("@", "@\u200b")
