"""An artifact for random requests."""

from tools.checks.fuzz import Fuzz, often, sometimes

ARTIFACT = "tree:5b678574ccc67c05b472831abea9e97b713c73e1"

FUZZ = Fuzz(values={"path.artifact": often(ARTIFACT), "body.artifact": sometimes(ARTIFACT)})
