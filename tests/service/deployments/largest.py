"""Write the largest deployments: many to one environment, and one to each of the others."""

from chalicelib.deployments.model import Commit, NewDeployment, NewStatus
from tests.service.deployments.records import an_artifact
from tests.support.largest import copy, largest

SET_BY_SERVER = ("state", "started_at", "finished_at")


def write(given, many):
    body = {name: value for name, value in largest(NewDeployment).items() if name not in SET_BY_SERVER}
    body |= {"environment": "development", "workspace": "default", "artifact": an_artifact(), "kind": "rollout"}
    commits = [{**largest(Commit), "sha": f"{number:064x}"} for number in range(min(many * 48, 700))]
    for _ in range(many):
        opened = given.post("/v1/systems/azul/deployments", {**body, "commits": commits})["id"]
        status = {**largest(NewStatus), "state": "succeeded"}
        given.post(f"/v1/systems/azul/deployments/{opened}/statuses", status)
        commits = []
    copy(given, "deployment_statuses", "WHERE state = 'succeeded' AND deployment_id > 4", deployment_id="1")
    copy(given, "deployment_commits", "WHERE t.subject IS NOT NULL", deployment_id="1")
    copy(
        given,
        "deployments",
        f"JOIN environments e ON e.system_id = 1 AND rank > 1 WHERE t.id = {opened}",
        environment_id="e.id",
    )
