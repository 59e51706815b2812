"""Column profiles of a published version, compared with the version before."""

from dataclasses import dataclass, replace

from platform_resources.access.views import View
from platform_resources.ledger.connections import Connection
from platform_resources.ledger.queries.profile_history import ProfiledVersion, profiled_data_sets, profiled_version, profiled_versions
from platform_resources.measuring.version_profiles import Difference, differences, seen_profile
from platform_resources.plan.plan import ProductPlan
from platform_resources.services.access.reader_views import ReaderView


class NoProfile(Exception):
    """Raised if nothing that was asked for has a profile; says why."""


@dataclass(frozen=True, slots=True)
class Profiled:
    """A data set's profile in one version and in the one before; None if that has none."""

    data_set: str
    now: ProfiledVersion
    before: ProfiledVersion | None

    @property
    def differences(self) -> tuple[Difference, ...]:
        """The differences from the version before; empty if there is none."""
        return differences(self.before.profile, self.now.profile) if self.before is not None else ()

    def seen_through(self, view: View | None) -> "Profiled":
        """The profile restricted to a view; None means a reader who sees nothing."""
        return Profiled(self.data_set, _seen(self.now, view), _seen(self.before, view) if self.before is not None else None)


def _seen(version: ProfiledVersion, view: View | None) -> ProfiledVersion:
    return replace(version, profile=seen_profile(version.profile, view))


def asked_profiles(connection: Connection, planned: ProductPlan, data_set: str | None, version: str | None) -> tuple[Profiled, ...]:
    """The profiles of one data set, or of all that the product has now or had in a given version. Raises NoProfile."""
    product, known = planned.name, profiled_data_sets(connection, planned.name)
    now = known if version is not None or not planned.data_sets else tuple(own.name for own in planned.data_sets if own.name in known)
    profiles = (profiled(connection, product, name, version) for name in ((data_set,) if data_set is not None else now))
    asked = tuple(profile for profile in profiles if profile is not None)
    if not known:
        raise NoProfile(f"{product} has no profile yet: each refresh that publishes makes one, unless its data sets say `profile: false`")
    if data_set is not None and data_set not in known:
        raise NoProfile(f'{product} has no profile of a data set "{data_set}"; known: {", ".join(known)}')
    if not asked:
        raise NoProfile(f"{product} has no profile of version {version}; `mesh versions {product}` lists what was published")
    return asked


def seen_profiled(
    connection: Connection, reading: ReaderView, product: ProductPlan, data_set: str, version: str | None = None
) -> Profiled | None:
    """The result of `profiled` as a reader may see it."""
    version_profile = profiled(connection, product.name, data_set, version)
    if version_profile is None or reading.standing(product).sees == "all":
        return version_profile
    known = any(offered.name == data_set for offered in product.data_sets)
    return version_profile.seen_through(reading.view(product, data_set) if known else None)


def profiled(connection: Connection, product: str, data_set: str, version: str | None = None) -> Profiled | None:
    """The newest version with a profile, or the one asked for; None where it has none."""
    versions = profiled_versions(connection, product, data_set)
    if not versions or (version is not None and version not in versions):
        return None
    at = versions.index(version) if version is not None else 0
    now = profiled_version(connection, product, data_set, versions[at])
    before = profiled_version(connection, product, data_set, versions[at + 1]) if at + 1 < len(versions) else None
    return Profiled(data_set, now, before) if now is not None else None
