"""Require that policies cover each region in which an environment makes a type of resource."""

from collections.abc import Iterator

from tools.checks.walls.reference import listed, overlap
from tools.checks.walls.rendered import Rendered


def lacking(rendered: Rendered) -> Iterator[str]:
    """Yield a sentence for each statement that covers a type in the environment's own region alone."""
    for environment, arn in sorted(rendered.elsewhere):
        for role in rendered.roles.values():
            if role.account_id != arn.split(":")[4] or not role.name.endswith(
                (f"-apply-{environment}", "-account-plan")
            ):
                continue
            for id_ in role.identity:
                for statement in listed(rendered.policies[id_].document["Statement"]):
                    patterns = listed(statement["Resource"])
                    # Requests through a service are of the region that the condition names.
                    if "kms:ViaService" in str(statement.get("Condition")) or _any(patterns, arn):
                        continue
                    if _any(patterns, arn.replace(":us-east-1:", ":eu-central-1:").replace(":global/", ":regional/")):
                        yield f"{statement['Sid']} of {id_} is not about {arn}: add the region us-east-1"


def _any(patterns: list[str], arn: str) -> bool:
    return any(overlap(each, arn) for each in patterns)
