"""The answers to writes that a constraint of the schema refuses: one table, by the constraint's name.

Validation refuses most such writes earlier, with a better message. The constraint still holds in a race.
"""

from typing import NamedTuple


class Refusal(NamedTuple):
    """The slug of a problem, its detail, and the field at fault, if there is one."""

    problem: str
    detail: str
    pointer: str = ""


CONSTRAINTS = {
    "systems_key_once": Refusal("already-exists", "Another system has this key: choose another key", "#/key"),
    "systems_key_is_slug": Refusal("invalid", "A key is a slug", "#/key"),
    "systems_artifact_kind_known": Refusal("invalid", "An artifact kind must be tree or sha256", "#/artifact_kind"),
    "aws_accounts_id_is_twelve_digits": Refusal("invalid", "An AWS account's id has twelve digits", "#/aws_account_id"),
    "environments_name_once": Refusal(
        "already-exists", "Another environment of the system has this name: choose another", "#/name"
    ),
    "environments_rank_once": Refusal(
        "already-exists", "Another environment of the system has this rank: choose another", "#/rank"
    ),
    "environments_name_is_slug": Refusal("invalid", "A name is a slug", "#/name"),
    "environments_rank_is_positive": Refusal("invalid", "Ranks start at 1", "#/rank"),
    "environments_required_soak_is_not_negative": Refusal(
        "invalid", "The soak must be 0 seconds or more", "#/required_soak_seconds"
    ),
    "environments_verification_max_age_is_positive": Refusal(
        "invalid", "The age must be 1 second or more", "#/verification_max_age_seconds"
    ),
    "environments_account_holds_one_class": Refusal(
        "account-holds-one-class",
        "An AWS account that holds a production environment holds no other class of environment",
        "#/aws_account_id",
    ),
    "promotions_keep_environment": Refusal("has-history", "It has promotions, so it can't be deleted"),
    "promotions_decision_known": Refusal("invalid", "A decision must be granted or denied"),
    "deployments_keep_environment": Refusal("has-history", "It has deployments, so it can't be deleted"),
    "deployments_artifact_known": Refusal(
        "invalid", "An artifact must be tree:<git tree id> or sha256:<digest>", "#/artifact"
    ),
    "deployments_revision_is_sha": Refusal("invalid", "A revision must have 40 hex digits", "#/revision"),
    "deployments_kind_known": Refusal("invalid", "A kind must be rollout, rollback or hotfix", "#/kind"),
    "deployments_state_known": Refusal("invalid", "A deployment has no such state", "#/state"),
    "deployments_finish_with_their_state": Refusal(
        "invalid", "A deployment has a finish time exactly if its state is final", "#/finished_at"
    ),
    "deployments_finish_after_start": Refusal("invalid", "It finished before it started", "#/finished_at"),
    "deployments_hold_a_lease_or_are_imported": Refusal(
        "invalid", "An imported deployment can't hold a lease", "#/imported"
    ),
    "deployments_override_has_reason": Refusal(
        "invalid", "An override needs a reason of 10 to 500 characters", "#/override_reason"
    ),
    "deployments_one_at_a_time": Refusal(
        "conflict", "Another deployment to this target is in progress: wait until it finishes"
    ),
    "deployments_import_once": Refusal("conflict", "This history has already been recorded"),
    "deployments_run_once": Refusal("conflict", "This run has already recorded its deployment"),
    "deployments_are_final": Refusal("conflict", "A finished deployment never changes"),
    "deployments_are_kept": Refusal("has-history", "A deployment is never deleted"),
    "deployment_commits_once": Refusal("invalid", "A commit is listed twice: list it once", "#/commits"),
    "verifications_keep_environment": Refusal("has-history", "It has verifications, so it can't be deleted"),
    "verifications_trigger_known": Refusal("invalid", "A verification has no such trigger", "#/trigger"),
    "verifications_outcome_known": Refusal("invalid", "A verification has no such outcome", "#/outcome"),
    "verifications_finish_after_start": Refusal("invalid", "It finished before it started", "#/finished_at"),
    "verifications_counts_are_not_negative": Refusal("invalid", "Counts must be 0 or more", "#/passed"),
    "verifications_import_once": Refusal("conflict", "This history has already been recorded"),
    "verifications_are_final": Refusal("conflict", "A verification never changes"),
    "deployments_go_to_target": Refusal("invalid", "The environment has no such workspace", "#/workspace"),
    "deployments_keep_workspace": Refusal("has-history", "It has deployments, so it can't be deleted"),
    "verifications_are_of_target": Refusal("invalid", "The environment has no such workspace", "#/workspace"),
    "verifications_keep_workspace": Refusal("has-history", "It has verifications, so it can't be deleted"),
    "workspaces_keep_environment": Refusal("has-history", "It has workspaces, so it can't be deleted"),
    "workspaces_name_once": Refusal(
        "already-exists", "Another workspace of the environment has this name: choose another", "#/name"
    ),
    "workspaces_name_is_usable": Refusal(
        "invalid", "This name can't be part of the names of resources: choose another", "#/name"
    ),
    "workspaces_purpose_known": Refusal("invalid", "A purpose must be personal, preview or debug", "#/purpose"),
    "workspaces_database_known": Refusal("invalid", "A database must be empty, clone or live", "#/database"),
    "workspaces_live_data_is_for_debugging": Refusal(
        "invalid", "Only a debug workspace may use live data", "#/database"
    ),
    "workspaces_state_known": Refusal("invalid", "A workspace has no such state", "#/state"),
    "workspaces_destroyed_with_their_state": Refusal(
        "invalid", "A workspace has a time of destruction exactly if its state is destroyed", "#/state"
    ),
    "workspaces_end_in_time": Refusal(
        "invalid", "The workspace would end in the past or too far ahead", "#/expires_at"
    ),
    "workspaces_never_come_back": Refusal(
        "workspace-not-active", "The workspace is over and can't become active again: create a new one"
    ),
    "workspaces_are_kept": Refusal("has-history", "A workspace is never deleted"),
    "routes_lead_to_workspace": Refusal("conflict", "The workspace does not exist any more"),
    "routes_lead_to_debugging": Refusal("workspace-not-for-debugging", "Routes lead only to debug workspaces"),
    "routes_lead_to_what_is_active": Refusal("workspace-not-active", "Routes lead only to active workspaces"),
    "routes_end_with_their_workspace": Refusal("invalid", "A route must end no later than its workspace", "#/until"),
    "routes_client_known": Refusal("invalid", "A client is 1 to 128 letters, digits or characters of ._~@:-"),
    "routes_one_per_client": Refusal(
        "conflict", "The client has a route to another workspace of the environment: end that route first"
    ),
    "publishers_events_known": Refusal(
        "invalid", "Name at least one event, and only events that a publisher may allow", "#/events"
    ),
    "publishers_kinds_known": Refusal(
        "invalid", "Name at least one kind, and only kinds that a publisher may record", "#/kinds"
    ),
    "publishers_name_environments": Refusal(
        "invalid", "A publisher must name at least one environment", "#/environments"
    ),
    "audit_events_are_final": Refusal("conflict", "An audit event never changes"),
}


def refusal(constraint: str) -> Refusal | None:
    """Return the answer for a violated constraint, or None if the fault can only be ours."""
    return CONSTRAINTS.get(constraint)
