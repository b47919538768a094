"""Ways in: requests by which unreviewed code would reach an environment, or one environment its neighbour."""

from chalicelib import SQL_NAME
from tools.checks.walls.places import (
    DEVELOPMENT,
    PREPRODUCTION,
    api,
    cluster,
    debug,
    function,
    key,
    login,
    part,
    preview,
    role,
    secret_of_master,
    tags_of_api,
)
from tools.checks.walls.principals import MadeBy, OfAccount, boundary
from tools.checks.walls.table import acts, wall

PREVIEW = preview(DEVELOPMENT)
# Everything that the code of a preview of development must not reach.
OTHERS = [DEVELOPMENT, PREPRODUCTION, preview(PREPRODUCTION), debug(DEVELOPMENT)]
MADE = MadeBy(PREVIEW, "development")
# AWS Lambda makes interfaces in the name of the role: there is no function's code in the request.
MADE_FOR_LAMBDA = MadeBy(PREVIEW, "development", function=None)
OF_ENVIRONMENT = MadeBy(DEVELOPMENT, "development", function=None)
WORKSPACES = OfAccount("workspaces-development")
TO_LAMBDA = {"iam:PassedToService": "lambda.amazonaws.com"}

WALLS = (
    wall(
        MADE, "reads the master's password", acts("secretsmanager", "GetSecretValue"), secret_of_master, not_of=OTHERS
    ),
    wall(
        MADE,
        "decrypts the master's password",
        acts("kms", "Decrypt"),
        key,
        not_of=OTHERS,
        when={"kms:ViaService": "secretsmanager.eu-central-1.amazonaws.com"},
    ),
    wall(MADE, "runs SQL as the master user", acts("rds-data", "ExecuteStatement"), cluster, not_of=OTHERS),
    wall(MADE, "logs in as the app", acts("rds-db", "connect"), login(f"{SQL_NAME}_app"), not_of=OTHERS),
    wall(MADE, "logs in as the migrator", acts("rds-db", "connect"), login(f"{SQL_NAME}_migrator"), not_of=OTHERS),
    wall(
        MADE,
        "makes an interface by its own code",
        acts("ec2", "CreateNetworkInterface"),
        part("subnet"),
        not_of=[PREVIEW, *OTHERS],
    ),
    wall(
        MADE_FOR_LAMBDA,
        "gets an interface in a foreign subnet",
        acts("ec2", "CreateNetworkInterface"),
        part("subnet"),
        not_of=OTHERS,
    ),
    wall(
        MADE_FOR_LAMBDA,
        "gets an interface in a foreign security group",
        acts("ec2", "CreateNetworkInterface"),
        part("security-group"),
        not_of=OTHERS,
    ),
    wall(
        OF_ENVIRONMENT,
        "gets an interface in the neighbour's subnet",
        acts("ec2", "CreateNetworkInterface"),
        part("subnet"),
        not_of=[PREPRODUCTION, preview(DEVELOPMENT), debug(DEVELOPMENT)],
    ),
    wall(
        WORKSPACES,
        "passes the role of a function",
        acts("iam", "PassRole"),
        role("bootstrap"),
        not_of=OTHERS,
        when=TO_LAMBDA,
    ),
    wall(
        WORKSPACES,
        "changes the code of a function",
        acts("lambda", "UpdateFunctionCode"),
        function("bootstrap"),
        not_of=OTHERS,
    ),
    wall(WORKSPACES, "calls a function", acts("lambda", "InvokeFunction"), function("bootstrap"), not_of=OTHERS),
    wall(
        WORKSPACES,
        "puts permissions into a role",
        acts("iam", "PutRolePolicy"),
        role("api"),
        not_of=OTHERS,
        when={"iam:PermissionsBoundary": boundary(DEVELOPMENT, "development")},
    ),
    wall(WORKSPACES, "re-tags an API", acts("apigateway", "PUT DELETE"), tags_of_api, not_of=[PREVIEW]),
    wall(WORKSPACES, "changes an API", acts("apigateway", "PATCH PUT DELETE"), api, not_of=OTHERS),
    wall(
        WORKSPACES,
        "copies an environment's database",
        acts("rds", "RestoreDBClusterToPointInTime"),
        cluster,
        not_of=OTHERS,
    ),
)
