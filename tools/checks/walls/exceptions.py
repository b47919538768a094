"""Statements that the checks do not accept, with the reason why they stay."""

from collections.abc import Iterable, Iterator

from tools.checks.walls import reference, regions
from tools.checks.walls.rendered import Rendered

# Each key is a part of a sentence of `faults` or of `complete.gaps`.
ACCEPTED = {
    "ReadFirewallOfApis of ": "Only resources of a region are associated with a firewall. A distribution names it.",
    " allows kms:Describe*,": "AWS documents the statement for CloudWatch Logs like this. But its condition names the"
    " encryption context, which DescribeKey does not have. So the statement allows no DescribeKey, and no row can ask.",
}


def faults(rendered: Rendered) -> Iterator[str]:
    """Yield a sentence for each statement that the Service Authorization Reference or a plan contradicts."""
    for id_, policy in rendered.policies.items():
        for name, fault in reference.faults(policy.document):
            yield f"{name} of {id_}: {fault}"
    for role in rendered.roles.values():
        for fault in reference.incomplete(rendered.policies[id_].document for id_ in role.identity):
            yield f"{role.name}: {fault}"
    yield from regions.lacking(rendered)


def unaccepted(sentences: Iterable[str]) -> Iterator[str]:
    """Yield the sentences that are not accepted, and a sentence for each exception that nothing needs."""
    used = set()
    for sentence in sentences:
        accepted = [each for each in ACCEPTED if each in sentence]
        used.update(accepted)
        if not accepted:
            yield sentence
    for each in ACCEPTED.keys() - used:
        yield f"No statement needs the exception {each!r}: remove it"
