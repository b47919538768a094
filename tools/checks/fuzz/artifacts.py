"""The address of an artifact for random requests."""

from tools.checks.fuzz import Fuzz, often
from tools.checks.fuzz.deployments import ARTIFACT

FUZZ = Fuzz(values={"path.artifact": often(ARTIFACT)})
