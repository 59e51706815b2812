"""Hold products against the policies of the mesh: how strictly each holds where, and who is exempt until when."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from platform_resources.capabilities.protocols import Breach, PolicyFacts, PolicyNeeds, Received
from platform_resources.plan.from_products.mesh import Mesh
from platform_resources.plan.from_products.ports import Resolved, resolved_port
from platform_resources.spec.document import Document, Place
from platform_resources.spec.governance import Exemption, Level, PolicySetting
from platform_resources.spec.problems import Problem, did_you_mean, known_text
from platform_resources.spec.product import Product


@dataclass(frozen=True, slots=True)
class PolicyBreach:
    """A way in which a product does not fulfil a policy, how serious that is, and the exemption that lets it be, if there is one."""

    policy: str
    product: Product
    breach: Breach
    level: Level
    exemption: Exemption | None = None


def policy_breaches(mesh: Mesh, product: Product) -> Iterator[PolicyBreach]:
    """Every breach of every policy that the documents alone tell, also those that are let be."""
    return breaches_of(mesh, product, policy_facts(mesh, product), "documents")


def breaches_of(mesh: Mesh, product: Product, facts: PolicyFacts, needs: PolicyNeeds) -> Iterator[PolicyBreach]:
    """The breaches of those policies that need this kind of facts."""
    for name, policy in mesh.registry.policies().items():
        if policy.needs == needs:
            required = name in mesh.governance.governance.needed(product.info.lifecycle)
            level: Level = "error" if required else level_of(mesh, name, product.domain)
            exemption = exemption_of(mesh, name, product)
            yield from (PolicyBreach(name, product, breach, level, exemption) for breach in policy.breaches(product, facts))


def policy_facts(mesh: Mesh, product: Product) -> PolicyFacts:
    """What the other documents and the product's SQL tell."""
    texts = mesh.texts_of(product)
    resolved = ((port, resolved_port(mesh, port)) for port in product.input_ports)
    return PolicyFacts(
        sql={text.file: text.sql for text in (*texts.models, *texts.tests)},
        others={other.name: other.domain for other in mesh.products if other.name != product.name},
        received=tuple(
            Received(port, *upstream.source, upstream.role)
            for port, upstream in resolved
            if isinstance(upstream, Resolved) and upstream.source is not None
        ),
        terms=frozenset(term.name for term in mesh.governance.governance.terms),
        vouching={name: dimension.vouches_for for name, dimension in mesh.registry.dimensions().items()},
    )


def policies_hold(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """The product fulfils all policies, including those of its stage of life, but for those from which it is exempt."""
    yield from problems_of_breaches(policy_breaches(mesh, product))


def problems_of_breaches(breaches: Iterable[PolicyBreach]) -> Iterator[Problem]:
    """What is not let be."""
    for policy_breach in breaches:
        if policy_breach.exemption is None:
            breach = policy_breach.breach
            origin = breach.origin or policy_breach.product.origin
            yield origin.problem(breach.property, breach.message, breach.hint, warning=policy_breach.level == "warn")


def level_of(mesh: Mesh, policy: str, domain: str) -> Level:
    """How strictly a policy holds in a domain: what governance.yaml says of the domain, or of all, or the policy's own level."""
    settings = [setting for setting in mesh.governance.governance.policies if setting.policy == policy and setting.level is not None]
    of_domain = (setting.level for setting in settings if domain in (setting.domains or ()))
    of_all = (setting.level for setting in settings if setting.domains is None)
    own: Level = mesh.registry.policies()[policy].level
    return next((level for level in (*of_domain, *of_all) if level is not None), own)


def exemption_of(mesh: Mesh, policy: str, product: Product) -> Exemption | None:
    """What exempts the product from the policy today; None if nothing does."""
    settings = (setting for setting in mesh.governance.governance.policies if setting.policy == policy)
    every = (exemption for setting in settings for exemption in setting.exemptions)
    return next((exemption for exemption in every if exemption.product == product.name and mesh.today <= exemption.until), None)


def policy_problems(mesh: Mesh, document: Document) -> Iterator[Problem]:
    """What is wrong with the policies of governance.yaml: names that nothing has, a level set twice, exemptions that have ended."""
    reading = mesh.governance
    levels = Counter(
        (setting.policy, domain) for setting in reading.governance.policies if setting.level for domain in setting.domains or ("",)
    )
    for at, setting in zip(reading.policy_places, reading.governance.policies, strict=True):
        for place, message, hint in (*_setting(mesh, setting, levels), *_exemptions(mesh, setting)):
            yield document.problem(("policies", at, *place), message, hint)


def _setting(mesh: Mesh, setting: PolicySetting, levels: Mapping[tuple[str, str], int]) -> Iterator[tuple[Place, str, str]]:
    known = mesh.registry.policies()
    if setting.policy not in known:
        yield ("policy",), f'unknown policy "{setting.policy}"; known: {known_text(known)}', did_you_mean(setting.policy, known)
    domains = {*mesh.domains, *(named.domain for named in mesh.products), *(named.domain for named in mesh.unreadable)}
    for domain in setting.domains or ("",):
        if domain and mesh.is_whole and domain not in domains:
            yield ("domains",), f'no domain "{domain}" in the mesh; known: {known_text(domains)}', did_you_mean(domain, domains)
        if levels[setting.policy, domain] > 1:
            where = f"for domain {domain}" if domain else "for the whole mesh"
            yield ("level",), f"the level of {setting.policy} is set {levels[setting.policy, domain]} times {where}", "set it once"


def _exemptions(mesh: Mesh, setting: PolicySetting) -> Iterator[tuple[Place, str, str]]:
    products = {*mesh.by_name, *(unread.name for unread in mesh.unreadable)}
    for number, exemption in enumerate(setting.exemptions):
        if mesh.is_whole and exemption.product not in products:
            message = f'no product "{exemption.product}" in the mesh'
            yield ("exemptions", number, "product"), message, did_you_mean(exemption.product, products)
        if exemption.until < mesh.today:
            subject = f"the exemption of {exemption.product} from {setting.policy}"
            message = f"{subject} ended on {exemption.until}; {exemption.owner} answers for it"
            hint = "mend the product and take the exemption away, or decide anew until when"
            yield ("exemptions", number, "until"), message, hint
