"""The artifact to promote for random requests."""

from tools.checks.fuzz import Fuzz, often
from tools.checks.fuzz.deployments import ARTIFACT

FUZZ = Fuzz(only={"get_changes": {"query.artifact": often(ARTIFACT, ARTIFACT[:12])}})
