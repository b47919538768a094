"""The answers to writes that break a constraint of the schema, in one table by the constraint's name.

Validation refuses most of these writes earlier, with a better message. In a race only the constraint refuses them.
"""

from typing import NamedTuple


class Refusal(NamedTuple):
    """The slug of a problem, its detail, and the field at fault, if there is one."""

    problem: str
    detail: str
    pointer: str = ""


CONSTRAINTS = {
    "systems_key_once": Refusal("already-exists", "Another system has this key: choose another key", "#/key"),
    "systems_key_is_slug": Refusal(
        "invalid",
        "A key is 2 to 39 lower-case letters, digits and hyphens, and starts with a letter: choose another key",
        "#/key",
    ),
    "systems_artifact_kind_known": Refusal(
        "invalid", "The artifact kind is unknown: send `tree` or `sha256`", "#/artifact_kind"
    ),
    "aws_accounts_id_is_twelve_digits": Refusal(
        "invalid", "An AWS account's id has twelve digits: correct the id", "#/aws_account_id"
    ),
    "environments_name_once": Refusal(
        "already-exists", "Another environment of the system has this name: choose another name", "#/name"
    ),
    "environments_rank_once": Refusal(
        "already-exists", "Another environment of the system has this rank: choose another rank", "#/rank"
    ),
    "environments_name_is_slug": Refusal(
        "invalid",
        "A name is 2 to 39 lower-case letters, digits and hyphens, and starts with a letter: choose another name",
        "#/name",
    ),
    "environments_rank_is_positive": Refusal("invalid", "The lowest rank is 1: send 1 or more", "#/rank"),
    "environments_required_soak_is_not_negative": Refusal(
        "invalid", "The soak is negative: send 0 seconds or more", "#/required_soak_seconds"
    ),
    "environments_verification_max_age_is_positive": Refusal(
        "invalid", "The age is too low: send 1 second or more, or null", "#/verification_max_age_seconds"
    ),
    "environments_account_holds_one_class": Refusal(
        "account-holds-one-class",
        "An AWS account holds either production environments or others: choose another account",
        "#/aws_account_id",
    ),
    "promotions_keep_environment": Refusal(
        "has-history", "The environment has promotions, which must be kept: keep the environment and its system"
    ),
    "promotions_decision_known": Refusal("invalid", "The decision is unknown: record `granted` or `denied`"),
    "deployments_keep_environment": Refusal(
        "has-history", "The environment has deployments, which must be kept: keep the environment and its system"
    ),
    "deployments_artifact_known": Refusal(
        "invalid", "The artifact has no known form: send `tree:<git tree id>` or `sha256:<digest>`", "#/artifact"
    ),
    "deployments_revision_is_sha": Refusal(
        "invalid", "A revision has 40 hex digits: send the commit's full id", "#/revision"
    ),
    "deployments_kind_known": Refusal(
        "invalid", "The kind is unknown: send `rollout`, `rollback` or `hotfix`", "#/kind"
    ),
    "deployments_state_known": Refusal(
        "invalid", "The state is unknown: send `in_progress`, `succeeded`, `failed` or `cancelled`", "#/state"
    ),
    "deployments_finish_with_their_state": Refusal(
        "invalid",
        "Only a finished deployment has a finish time: send a final `state` and `finished_at` together",
        "#/finished_at",
    ),
    "deployments_finish_after_start": Refusal(
        "invalid", "The deployment finished before it started: correct one of the two times", "#/finished_at"
    ),
    "deployments_hold_a_lease_or_are_imported": Refusal(
        "invalid",
        "Only an imported deployment has no lease, and it must be finished: import it after it has finished",
        "#/imported",
    ),
    "deployments_override_has_reason": Refusal(
        "invalid", "An override needs a reason: send 10 to 500 characters", "#/override_reason"
    ),
    "deployments_one_at_a_time": Refusal(
        "conflict", "Another deployment to this target is in progress: wait until that one finishes"
    ),
    "deployments_import_once": Refusal(
        "conflict", "This deployment was imported before: find it in the list of deployments"
    ),
    "deployments_run_once": Refusal(
        "conflict", "This run has opened this deployment before: find it in the list of deployments"
    ),
    "deployments_are_final": Refusal("conflict", "A finished deployment never changes: open a new deployment"),
    "deployments_are_kept": Refusal("has-history", "A deployment is never deleted: keep it"),
    "deployment_commits_once": Refusal("invalid", "A commit is listed twice: list it once", "#/commits"),
    "verifications_keep_environment": Refusal(
        "has-history", "The environment has verifications, which must be kept: keep the environment and its system"
    ),
    "verifications_trigger_known": Refusal(
        "invalid", "The trigger is unknown: send `deployment`, `schedule` or `manual`", "#/trigger"
    ),
    "verifications_outcome_known": Refusal(
        "invalid", "The outcome is unknown: send `success`, `failure`, `error` or `cancelled`", "#/outcome"
    ),
    "verifications_finish_after_start": Refusal(
        "invalid", "The run finished before it started: correct one of the two times", "#/finished_at"
    ),
    "verifications_counts_are_not_negative": Refusal(
        "invalid", "A count is negative: send `passed`, `failed` and `skipped` as 0 or more", "#/passed"
    ),
    "verifications_import_once": Refusal(
        "conflict", "This verification was imported before: find it in the list of verifications"
    ),
    "verifications_are_final": Refusal("conflict", "A verification never changes: record a new verification"),
    "deployments_go_to_target": Refusal(
        "invalid", "The environment has no workspace of this name: create the workspace first", "#/workspace"
    ),
    "deployments_keep_workspace": Refusal(
        "has-history", "The workspace has deployments, which must be kept: keep the workspace"
    ),
    "verifications_are_of_target": Refusal(
        "invalid", "The environment has no workspace of this name: create the workspace first", "#/workspace"
    ),
    "verifications_keep_workspace": Refusal(
        "has-history", "The workspace has verifications, which must be kept: keep the workspace"
    ),
    "workspaces_keep_environment": Refusal(
        "has-history", "The environment has workspaces, which must be kept: keep the environment and its system"
    ),
    "workspaces_name_once": Refusal(
        "already-exists", "Another workspace of the environment has this name: choose another name", "#/name"
    ),
    "workspaces_name_is_usable": Refusal(
        "invalid",
        "The name is `default`, or can't be part of a resource's name: choose another name, such as `pr-12`",
        "#/name",
    ),
    "workspaces_purpose_known": Refusal(
        "invalid", "The purpose is unknown: send `personal`, `preview` or `debug`", "#/purpose"
    ),
    "workspaces_database_known": Refusal(
        "invalid", "The database is unknown: send `empty`, `clone` or `live`", "#/database"
    ),
    "workspaces_live_data_is_for_debugging": Refusal(
        "invalid", "Only the purpose `debug` may use the database `live`: send `empty` or `clone`", "#/database"
    ),
    "workspaces_state_known": Refusal(
        "invalid", "The state is unknown: send `active`, `expired` or `destroyed`", "#/state"
    ),
    "workspaces_destroyed_with_their_state": Refusal(
        "invalid",
        "Only a destroyed workspace has a time of destruction: set its state and this time together",
        "#/state",
    ),
    "workspaces_end_in_time": Refusal(
        "invalid",
        "A workspace ends in the future, within 14 days, or 3 days for the purpose `debug`: choose another end",
        "#/expires_at",
    ),
    "workspaces_never_come_back": Refusal(
        "workspace-not-active", "The workspace has expired or was destroyed, which is final: create another workspace"
    ),
    "workspaces_are_kept": Refusal(
        "has-history", "The record of a workspace is never deleted: mark the workspace as destroyed instead"
    ),
    "routes_lead_to_workspace": Refusal(
        "conflict", "The workspace has changed in the meantime: read it again, then set the route again"
    ),
    "routes_lead_to_debugging": Refusal(
        "workspace-not-for-debugging",
        "Routes lead only to debug workspaces: create a workspace with the purpose `debug`",
    ),
    "routes_lead_to_what_is_active": Refusal(
        "workspace-not-active",
        "Routes lead only to active workspaces: choose an active workspace, or end the routes first",
    ),
    "routes_end_with_their_workspace": Refusal(
        "invalid", "The route would end after its workspace: choose an earlier end", "#/until"
    ),
    "routes_client_known": Refusal(
        "invalid", "A client is 1 to 128 letters, digits or characters of `._~@:-`: correct the client"
    ),
    "routes_one_per_client": Refusal(
        "conflict", "The client has another route in this environment: end that route first"
    ),
    "publishers_events_known": Refusal(
        "invalid",
        "The events are empty or contain one that no publisher may allow: send events such as `push`",
        "#/events",
    ),
    "publishers_kinds_known": Refusal(
        "invalid", "The kinds are empty or unknown: send `deployments`, `verifications` or `workspaces`", "#/kinds"
    ),
    "publishers_name_environments": Refusal(
        "invalid",
        "A publisher needs an environment that it may write for: name at least one environment",
        "#/environments",
    ),
    "audit_events_are_final": Refusal("conflict", "An audit event never changes: leave it as it is"),
}


def refusal(constraint: str) -> Refusal | None:
    """Return the answer for a violated constraint, or None if the table lacks the constraint."""
    return CONSTRAINTS.get(constraint)
