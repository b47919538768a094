"""Statements that the checks do not accept, with the reason why they stay."""

from collections.abc import Iterable, Iterator

from tools.checks.walls import reference
from tools.checks.walls.rendered import Rendered

# Each key is a part of a sentence of `faults` or of `complete.gaps`.
ACCEPTED = {
    " allows kms:Describe*,": "AWS documents the statement for CloudWatch Logs like this. But its condition names the"
    " encryption context, which DescribeKey does not have. So the statement allows no DescribeKey, and no row can ask.",
}


def faults(rendered: Rendered) -> Iterator[str]:
    """Yield a sentence for each statement that the Service Authorization Reference contradicts."""
    for id_, policy in rendered.policies.items():
        for name, fault in reference.faults(policy.document):
            yield f"{name} of {id_}: {fault}"


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
