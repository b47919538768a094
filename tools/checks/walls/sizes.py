"""Compare policies with AWS's limits of size and number.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html. White space does not count.
"""

import json
from collections.abc import Iterator

from tools.checks.walls.rendered import Policy, Rendered

MANAGED = 6_144
INLINE_OF_A_ROLE = 10_240
TRUST = 2_048
MANAGED_OF_A_ROLE = 10
# KMS and Lambda: 32,768 and 20,480. S3: 20,480. The smallest of them is enough for all.
RESOURCE = 20_480


def too_large(rendered: Rendered) -> Iterator[str]:
    """Yield a sentence for each policy or role that AWS would refuse."""
    for id_, policy in rendered.policies.items():
        limit = MANAGED if policy.managed else {"trust": TRUST, "resource": RESOURCE}.get(policy.kind)
        if limit and characters(policy) > limit:
            yield f"{id_} has {characters(policy)} characters, and AWS allows {limit}: divide or shorten it"
    for role in rendered.roles.values():
        of_role = [rendered.policies[each] for each in role.identity]
        inline = sum(characters(each) for each in of_role if not each.managed)
        if inline > INLINE_OF_A_ROLE:
            yield f"{role.name} has {inline} characters of inline policies, and AWS allows {INLINE_OF_A_ROLE}"
        if (managed := sum(each.managed for each in of_role)) > MANAGED_OF_A_ROLE:
            yield f"{role.name} has {managed} managed policies, and AWS allows {MANAGED_OF_A_ROLE}: join some"


def characters(policy: Policy) -> int:
    """Return the size of a policy as AWS counts it."""
    return len(json.dumps(policy.document, separators=(",", ":"), ensure_ascii=False).replace(" ", ""))
