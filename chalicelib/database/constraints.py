"""What it means to a caller that a constraint of the schema refused a write: one table, name by name.

Validation refuses most of this earlier and says it better; the constraint is what holds in a race.
"""

from typing import NamedTuple


class Refusal(NamedTuple):
    """The slug of a problem, what to say, and the field that it is about, if it is about one."""

    problem: str
    detail: str
    pointer: str = ""


CONSTRAINTS = {
    "systems_key_once": Refusal("already-exists", "Another system has this key", "#/key"),
    "systems_key_is_slug": Refusal("invalid", "A key is a slug", "#/key"),
    "systems_artifact_kind_known": Refusal("invalid", "An artifact kind is tree or sha256", "#/artifact_kind"),
    "aws_accounts_id_is_twelve_digits": Refusal("invalid", "An AWS account's id has twelve digits", "#/aws_account_id"),
    "environments_name_once": Refusal("already-exists", "Another environment of the system has this name", "#/name"),
    "environments_rank_once": Refusal("already-exists", "Another environment of the system has this rank", "#/rank"),
    "environments_name_is_slug": Refusal("invalid", "A name is a slug", "#/name"),
    "environments_rank_is_positive": Refusal("invalid", "Ranks start at 1", "#/rank"),
    "environments_required_soak_is_not_negative": Refusal(
        "invalid", "A soak is not negative", "#/required_soak_seconds"
    ),
    "environments_verification_max_age_is_positive": Refusal(
        "invalid", "An age is positive", "#/verification_max_age_seconds"
    ),
    "environments_account_holds_one_class": Refusal(
        "account-holds-one-class",
        "An AWS account that holds a production environment holds no other class of environment",
        "#/aws_account_id",
    ),
    "promotions_keep_environment": Refusal("has-history", "Promotions were decided for it"),
    "promotions_decision_known": Refusal("invalid", "A decision is granted or denied"),
    "deployments_keep_environment": Refusal("has-history", "Deployments were recorded for it"),
    "deployments_artifact_known": Refusal("invalid", "An artifact is a tree or a digest", "#/artifact"),
    "deployments_revision_is_sha": Refusal("invalid", "A revision has 40 hex digits", "#/revision"),
    "deployments_kind_known": Refusal("invalid", "A kind is rollout, rollback or hotfix", "#/kind"),
    "deployments_state_known": Refusal("invalid", "The state is not one of a deployment", "#/state"),
    "deployments_finish_with_their_state": Refusal("invalid", "A deployment finishes with its state", "#/finished_at"),
    "deployments_finish_after_start": Refusal("invalid", "It finished before it started", "#/finished_at"),
    "deployments_hold_a_lease_or_are_imported": Refusal("invalid", "History holds no lease", "#/imported"),
    "deployments_override_has_reason": Refusal(
        "invalid", "An override has a reason of 10 to 500 characters", "#/override_reason"
    ),
    "deployments_one_at_a_time": Refusal("conflict", "Another deployment to this target is in progress"),
    "deployments_import_once": Refusal("conflict", "This history was recorded already"),
    "deployments_run_once": Refusal("conflict", "This run recorded its deployment already"),
    "deployments_are_final": Refusal("conflict", "A finished deployment never changes"),
    "deployments_are_kept": Refusal("has-history", "A deployment is never deleted"),
    "deployment_commits_once": Refusal("invalid", "A commit is named twice", "#/commits"),
    "verifications_keep_environment": Refusal("has-history", "Verifications were recorded for it"),
    "verifications_trigger_known": Refusal("invalid", "The trigger is not one of a verification", "#/trigger"),
    "verifications_outcome_known": Refusal("invalid", "The outcome is not one of a verification", "#/outcome"),
    "verifications_finish_after_start": Refusal("invalid", "It finished before it started", "#/finished_at"),
    "verifications_counts_are_not_negative": Refusal("invalid", "Counts are not negative", "#/passed"),
    "verifications_import_once": Refusal("conflict", "This history was recorded already"),
    "verifications_are_final": Refusal("conflict", "A verification never changes"),
    "deployments_go_to_target": Refusal("invalid", "The environment has no such workspace", "#/workspace"),
    "deployments_keep_workspace": Refusal("has-history", "Deployments were recorded for it"),
    "verifications_are_of_target": Refusal("invalid", "The environment has no such workspace", "#/workspace"),
    "verifications_keep_workspace": Refusal("has-history", "Verifications were recorded for it"),
    "workspaces_keep_environment": Refusal("has-history", "Workspaces were recorded for it"),
    "workspaces_name_once": Refusal("already-exists", "Another workspace of the environment has this name", "#/name"),
    "workspaces_name_is_usable": Refusal("invalid", "A name can't be part of resources' names", "#/name"),
    "workspaces_purpose_known": Refusal("invalid", "A purpose is personal, preview or debug", "#/purpose"),
    "workspaces_database_known": Refusal("invalid", "A database is empty, clone or live", "#/database"),
    "workspaces_live_data_is_for_debugging": Refusal(
        "invalid", "Only a debug workspace works on live data", "#/database"
    ),
    "workspaces_state_known": Refusal("invalid", "The state is not one of a workspace", "#/state"),
    "workspaces_destroyed_with_their_state": Refusal("invalid", "It is destroyed with its state", "#/state"),
    "workspaces_end_in_time": Refusal("invalid", "It ends in the past, or too far ahead", "#/expires_at"),
    "workspaces_never_come_back": Refusal("workspace-not-active", "A workspace that is over does not come back"),
    "workspaces_are_kept": Refusal("has-history", "A workspace is never deleted"),
    "routes_lead_to_workspace": Refusal("conflict", "The workspace is not there any more"),
    "routes_lead_to_debugging": Refusal("workspace-not-for-debugging", "Routes lead to debug workspaces alone"),
    "routes_lead_to_what_is_active": Refusal("workspace-not-active", "Routes lead to active workspaces alone"),
    "routes_end_with_their_workspace": Refusal("invalid", "A route ends no later than its workspace", "#/until"),
    "routes_client_known": Refusal("invalid", "The client is none"),
    "routes_one_per_client": Refusal("conflict", "The client is routed to another workspace of the environment"),
    "publishers_events_known": Refusal("invalid", "An event is not one that a publisher may name", "#/events"),
    "publishers_kinds_known": Refusal("invalid", "A kind is not one of records", "#/kinds"),
    "publishers_name_environments": Refusal("invalid", "A publisher names environments", "#/environments"),
    "audit_events_are_final": Refusal("conflict", "An audit event never changes"),
}


def refusal(constraint: str) -> Refusal | None:
    """What to answer for a violated constraint, or None where nobody but us can be at fault."""
    return CONSTRAINTS.get(constraint)
