"""The address of a commit for random requests."""

from tools.checks.fuzz import Fuzz, often
from tools.checks.fuzz.deployments import COMMIT

FUZZ = Fuzz(values={"path.sha": often(COMMIT, COMMIT[:7])})
