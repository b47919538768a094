"""The claims of tokens, as their issuers make them."""

ISSUER = "https://slipway.localhost"
GITHUB = "https://token.actions.githubusercontent.com"
PEOPLE = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_people"

# What GitHub Actions claims of a run that a push to main started, in the GitHub environment `development`.
RUN = {
    "iss": GITHUB,
    "aud": "slipway",
    "sub": "repo:acme/azul:environment:development",
    "repository": "acme/azul",
    "repository_id": "74",
    "repository_owner": "acme",
    "repository_owner_id": "65",
    "workflow_ref": "acme/azul/.github/workflows/deploy.yml@refs/heads/main",
    "job_workflow_ref": "acme/azul/.github/workflows/deploy.yml@refs/heads/main",
    "event_name": "push",
    "ref": "refs/heads/main",
    "ref_type": "branch",
    "environment": "development",
    "sha": "200f4b2d8e19e8e64f878567f24b464f3d7146ac",
    "run_id": "4711",
    "run_attempt": "1",
    "actor": "jane",
}
