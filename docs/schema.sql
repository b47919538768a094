-- The schema after all migrations, for people to read. `make schema` writes this file.

-- deployments

CREATE TABLE deployments (
    id bigint GENERATED ALWAYS AS IDENTITY,
    system_id bigint NOT NULL,
    environment_id bigint NOT NULL,
    workspace text DEFAULT 'default' NOT NULL,
    workspace_id bigint,
    artifact artifact_id NOT NULL,
    revision commit_sha,
    kind text NOT NULL,
    state deployment_state NOT NULL,
    detail character varying(2000),
    imported boolean NOT NULL,
    late boolean DEFAULT false NOT NULL,
    run_url url,
    override_reason stated_reason,
    overridden character varying(30)[],
    promotion_id bigint,
    commit_count integer NOT NULL,
    lease_seconds integer,
    lease_expires_at moment,
    started_at moment NOT NULL,
    finished_at moment,
    issuer character varying(2000) NOT NULL,
    created_by character varying(1000) NOT NULL,
    repository_id character varying(255),
    run_id character varying(255),
    run_attempt character varying(255),
    run_sha character varying(255),
    run_actor character varying(255),
    CONSTRAINT deployments_finish_after_start CHECK (((finished_at) >= (started_at))),
    CONSTRAINT deployments_finish_with_their_state CHECK ((((state) = 'in_progress') = (finished_at IS NULL))),
    CONSTRAINT deployments_go_to_target CHECK (((workspace = 'default') = (workspace_id IS NULL))),
    CONSTRAINT deployments_hold_a_lease_or_are_imported CHECK (((imported = (lease_expires_at IS NULL)) AND (NOT (imported AND ((state) = 'in_progress'))))),
    CONSTRAINT deployments_kind_known CHECK ((kind = ANY (ARRAY['rollout', 'rollback', 'hotfix']))),
    CONSTRAINT deployments_late_are_imported CHECK ((imported OR (NOT late))),
    CONSTRAINT deployments_numbers_are_bounded CHECK ((((commit_count >= 0) AND (commit_count <= 10000)) AND ((lease_seconds >= 60) AND (lease_seconds <= 14400)))),
    CONSTRAINT deployments_overridden_known CHECK ((((cardinality(overridden) >= 1) AND (cardinality(overridden) <= 10)) AND (array_ndims(overridden) = 1) AND (overridden <@ ARRAY['not-deployed'::character varying, 'rolled-back'::character varying, 'not-verified'::character varying, 'verification-failed'::character varying, 'verification-expired'::character varying, 'soaking'::character varying, 'not-approved'::character varying, 'frozen'::character varying, 'pinned'::character varying, 'marked-bad'::character varying]))),
    CONSTRAINT deployments_override_has_reason CHECK (((length((override_reason)) >= 10) AND (length((override_reason)) <= 500))),
    CONSTRAINT deployments_pkey PRIMARY KEY (id),
    CONSTRAINT deployments_keep_environment FOREIGN KEY (environment_id, system_id) REFERENCES environments(id, system_id),
    CONSTRAINT deployments_keep_workspace FOREIGN KEY (workspace_id, environment_id, workspace) REFERENCES workspaces(id, environment_id, name),
    CONSTRAINT deployments_promotion_id_fkey FOREIGN KEY (promotion_id) REFERENCES promotions(id)
);
CREATE INDEX deployments_advances ON deployments (environment_id, workspace, artifact, finished_at DESC) WHERE (((state) = 'succeeded') AND (kind <> 'rollback'));
CREATE INDEX deployments_by_artifact ON deployments (system_id, artifact, started_at DESC, id DESC);
CREATE INDEX deployments_by_environment ON deployments (environment_id, started_at DESC, id DESC);
CREATE INDEX deployments_by_revision ON deployments (system_id, revision, started_at DESC, id DESC) WHERE (revision IS NOT NULL);
CREATE INDEX deployments_by_system ON deployments (system_id, started_at DESC, id DESC);
CREATE INDEX deployments_by_workspace ON deployments (environment_id, workspace, started_at DESC, id DESC);
CREATE INDEX deployments_failed ON deployments (environment_id, workspace, finished_at) WHERE ((state) = 'failed');
CREATE UNIQUE INDEX deployments_import_once ON deployments (environment_id, workspace, artifact, COALESCE((revision), ''), finished_at, COALESCE(workspace_id, (0)::bigint)) WHERE imported;
CREATE UNIQUE INDEX deployments_one_at_a_time ON deployments (environment_id, workspace) WHERE ((state) = 'in_progress');
CREATE INDEX deployments_overridden ON deployments (system_id, started_at DESC, id DESC) WHERE (overridden IS NOT NULL);
CREATE INDEX deployments_recorded ON deployments (environment_id, workspace, started_at) WHERE (NOT imported);
CREATE INDEX deployments_rollbacks ON deployments (environment_id, workspace, finished_at DESC, id DESC) WHERE (((state) = 'succeeded') AND (kind = 'rollback'));
CREATE INDEX deployments_succeeded ON deployments (environment_id, workspace, finished_at DESC, id DESC) WHERE ((state) = 'succeeded');
CREATE INDEX deployments_succeeded_by_artifact ON deployments (environment_id, workspace, artifact, finished_at DESC, id DESC) WHERE ((state) = 'succeeded');
CREATE TRIGGER deployments_are_final BEFORE UPDATE ON deployments FOR EACH ROW WHEN (((old.state) <> 'in_progress')) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER deployments_are_kept BEFORE DELETE ON deployments FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER deployments_are_not_truncated BEFORE TRUNCATE ON deployments FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
GRANT SELECT ON TABLE deployments TO slipway_app;
GRANT INSERT (system_id, environment_id, workspace, workspace_id, artifact, revision, kind, state, detail, imported, late, run_url, override_reason, overridden, promotion_id, commit_count, lease_seconds, lease_expires_at, started_at, finished_at, issuer, created_by, repository_id, run_id, run_attempt, run_sha, run_actor) ON TABLE deployments TO slipway_app;
GRANT UPDATE (state, detail, lease_expires_at, finished_at) ON TABLE deployments TO slipway_app;

-- approvals

CREATE TABLE approvals (
    id bigint GENERATED ALWAYS AS IDENTITY,
    system_id bigint NOT NULL,
    environment_id bigint NOT NULL,
    artifact artifact_id NOT NULL,
    comment character varying(2000),
    created_at moment NOT NULL,
    issuer character varying(2000) NOT NULL,
    created_by character varying(1000) NOT NULL,
    withdrawn_at moment,
    withdrawn_by character varying(1000),
    withdrawal_reason stated_reason,
    CONSTRAINT approvals_withdrawal_is_complete CHECK ((((withdrawn_at IS NULL) = (withdrawn_by IS NULL)) AND ((withdrawn_at IS NOT NULL) OR (withdrawal_reason IS NULL)))),
    CONSTRAINT approvals_pkey PRIMARY KEY (id),
    CONSTRAINT approvals_keep_environment FOREIGN KEY (environment_id, system_id) REFERENCES environments(id, system_id)
);
CREATE INDEX approvals_by_artifact ON approvals (environment_id, artifact, created_at DESC);
CREATE INDEX approvals_by_system ON approvals (system_id, created_at DESC, id DESC);
CREATE TRIGGER approvals_are_final BEFORE UPDATE ON approvals FOR EACH ROW WHEN ((old.withdrawn_at IS NOT NULL)) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER approvals_are_kept BEFORE DELETE ON approvals FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER approvals_are_not_truncated BEFORE TRUNCATE ON approvals FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
GRANT SELECT ON TABLE approvals TO slipway_app;
GRANT INSERT (system_id, environment_id, artifact, comment, created_at, issuer, created_by) ON TABLE approvals TO slipway_app;
GRANT UPDATE (withdrawn_at, withdrawn_by, withdrawal_reason) ON TABLE approvals TO slipway_app;

-- audit_events

CREATE TABLE audit_events (
    id bigint GENERATED ALWAYS AS IDENTITY,
    at moment DEFAULT clock_timestamp() NOT NULL,
    system_key character varying(39),
    issuer character varying(2000) NOT NULL,
    principal character varying(1000) NOT NULL,
    action character varying(61) NOT NULL,
    resource character varying(500) NOT NULL,
    before small_json,
    after small_json,
    request_id character varying(255) NOT NULL,
    refusal character varying(100),
    reason stated_reason,
    CONSTRAINT audit_events_pkey PRIMARY KEY (id)
);
CREATE INDEX audit_events_by_action ON audit_events (action, at DESC, id DESC);
CREATE INDEX audit_events_by_principal ON audit_events (principal, at DESC, id DESC);
CREATE INDEX audit_events_by_system ON audit_events (system_key, at DESC, id DESC);
CREATE INDEX audit_events_by_time ON audit_events (at DESC, id DESC);
CREATE TRIGGER audit_events_are_final BEFORE DELETE OR UPDATE ON audit_events FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_events_are_not_truncated BEFORE TRUNCATE ON audit_events FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
GRANT SELECT ON TABLE audit_events TO slipway_app;
GRANT INSERT (system_key, issuer, principal, action, resource, before, after, request_id, refusal, reason) ON TABLE audit_events TO slipway_app;

-- aws_accounts

CREATE TABLE aws_accounts (
    id text NOT NULL,
    production boolean NOT NULL,
    system_id bigint NOT NULL,
    CONSTRAINT aws_accounts_id_is_twelve_digits CHECK ((id ~ '^[0-9]{12}$')),
    CONSTRAINT aws_accounts_class UNIQUE (id, production),
    CONSTRAINT aws_accounts_pkey PRIMARY KEY (id),
    CONSTRAINT aws_accounts_first_system FOREIGN KEY (system_id) REFERENCES systems(id) DEFERRABLE INITIALLY DEFERRED
);

-- bindings

CREATE TABLE bindings (
    environment_id bigint NOT NULL,
    system_id bigint NOT NULL,
    dependency character varying(39) NOT NULL,
    instance character varying(500) NOT NULL,
    access text NOT NULL,
    exclusive boolean NOT NULL,
    CONSTRAINT bindings_access_known CHECK ((access = ANY (ARRAY['read_only', 'read_write']))),
    CONSTRAINT bindings_dependency_is_slug CHECK (((dependency) ~ '^[a-z][a-z0-9-]{1,38}$')),
    CONSTRAINT bindings_instance_known CHECK (((instance) ~ '^(arn:|[a-z][a-z0-9+.-]*://)[!-~]+$')),
    CONSTRAINT bindings_once PRIMARY KEY (environment_id, dependency),
    CONSTRAINT bindings_end_with_environment FOREIGN KEY (environment_id, system_id) REFERENCES environments(id, system_id) ON DELETE CASCADE
);
CREATE INDEX bindings_by_instance ON bindings (instance, environment_id);
CREATE INDEX bindings_by_system ON bindings (system_id, instance);
GRANT SELECT,INSERT,DELETE ON TABLE bindings TO slipway_app;
GRANT UPDATE (instance, access, exclusive) ON TABLE bindings TO slipway_app;

-- deployment_commits

CREATE TABLE deployment_commits (
    deployment_id bigint NOT NULL,
    environment_id bigint NOT NULL,
    sha commit_sha NOT NULL,
    authored_at moment NOT NULL,
    subject character varying(200),
    CONSTRAINT deployment_commits_once PRIMARY KEY (deployment_id, sha),
    CONSTRAINT deployment_commits_deployment_id_fkey FOREIGN KEY (deployment_id) REFERENCES deployments(id)
);
CREATE INDEX deployment_commits_by_environment ON deployment_commits (environment_id, sha, deployment_id);
CREATE INDEX deployment_commits_by_time ON deployment_commits (deployment_id, authored_at DESC, sha DESC);
GRANT SELECT,INSERT ON TABLE deployment_commits TO slipway_app;

-- deployment_statuses

CREATE TABLE deployment_statuses (
    id bigint GENERATED ALWAYS AS IDENTITY,
    deployment_id bigint NOT NULL,
    state deployment_state NOT NULL,
    detail character varying(2000),
    created_at moment NOT NULL,
    created_by character varying(1000) NOT NULL,
    CONSTRAINT deployment_statuses_pkey PRIMARY KEY (id),
    CONSTRAINT deployment_statuses_deployment_id_fkey FOREIGN KEY (deployment_id) REFERENCES deployments(id)
);
CREATE INDEX deployment_statuses_by_deployment ON deployment_statuses (deployment_id, created_at DESC, id DESC);
GRANT SELECT ON TABLE deployment_statuses TO slipway_app;
GRANT INSERT (deployment_id, state, detail, created_at, created_by) ON TABLE deployment_statuses TO slipway_app;

-- environments

CREATE TABLE environments (
    id bigint GENERATED ALWAYS AS IDENTITY,
    system_id bigint NOT NULL,
    name text NOT NULL,
    rank integer NOT NULL,
    aws_account_id character varying(12),
    region character varying(30),
    base_url url,
    production boolean NOT NULL,
    required_soak_seconds integer NOT NULL,
    verification_max_age_seconds integer,
    required_suites character varying(64)[] NOT NULL,
    required_approvals integer DEFAULT 0 NOT NULL,
    workspace_hosts character varying(254)[] DEFAULT '{}'::character varying[] NOT NULL,
    created_at moment DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT environments_base_url_is_https CHECK (((base_url) ~ '^(https://([a-z0-9-]+\.)*[a-z0-9-]+|http://(localhost|127\.0\.0\.1))(:[0-9]{1,5})?(/[A-Za-z0-9._~%/-]*)?$')),
    CONSTRAINT environments_name_is_slug CHECK ((name ~ '^[a-z][a-z0-9-]{1,38}$')),
    CONSTRAINT environments_rank_is_bounded CHECK (((rank >= 1) AND (rank <= 1000))),
    CONSTRAINT environments_region_known CHECK (((region) ~ '^[a-z]{2,4}(-[a-z]+)+-[0-9]$')),
    CONSTRAINT environments_required_approvals_are_few CHECK (((required_approvals >= 0) AND (required_approvals <= 5))),
    CONSTRAINT environments_required_soak_is_bounded CHECK (((required_soak_seconds >= 0) AND (required_soak_seconds <= 31536000))),
    CONSTRAINT environments_required_suites_known CHECK (((cardinality(required_suites) <= 50) AND (to_jsonb(required_suites) = jsonb_path_query_array(to_jsonb(required_suites), 'strict $[*]?(@ like_regex "^[A-Za-z0-9][A-Za-z0-9._/-]{0,63}$")'::jsonpath)))),
    CONSTRAINT environments_verification_max_age_is_bounded CHECK (((verification_max_age_seconds >= 1) AND (verification_max_age_seconds <= 31536000))),
    CONSTRAINT environments_workspace_hosts_known CHECK (((cardinality(workspace_hosts) <= 50) AND (to_jsonb(workspace_hosts) = jsonb_path_query_array(to_jsonb(workspace_hosts), 'strict $[*]?(@ like_regex "^[.]?([a-z0-9-]+[.])+[a-z][a-z0-9-]*$")'::jsonpath)))),
    CONSTRAINT environments_name_once UNIQUE (system_id, name),
    CONSTRAINT environments_of_system UNIQUE (id, system_id),
    CONSTRAINT environments_pkey PRIMARY KEY (id),
    CONSTRAINT environments_rank_once UNIQUE (system_id, rank),
    CONSTRAINT environments_account_holds_one_class FOREIGN KEY (aws_account_id, production) REFERENCES aws_accounts(id, production) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT environments_system_id_fkey FOREIGN KEY (system_id) REFERENCES systems(id) ON DELETE CASCADE
);
CREATE INDEX environments_by_account ON environments (aws_account_id);
CREATE TRIGGER environments_claim_aws_account BEFORE INSERT OR UPDATE ON environments FOR EACH ROW WHEN ((new.aws_account_id IS NOT NULL)) EXECUTE FUNCTION claim_aws_account();
CREATE TRIGGER environments_settle_aws_account AFTER DELETE OR UPDATE ON environments FOR EACH ROW WHEN ((old.aws_account_id IS NOT NULL)) EXECUTE FUNCTION settle_aws_account();
GRANT SELECT,DELETE ON TABLE environments TO slipway_app;
GRANT INSERT (system_id, name, rank, aws_account_id, region, base_url, production, required_soak_seconds, verification_max_age_seconds, required_suites, required_approvals, workspace_hosts) ON TABLE environments TO slipway_app;
GRANT UPDATE (rank, aws_account_id, region, base_url, production, required_soak_seconds, verification_max_age_seconds, required_suites, required_approvals, workspace_hosts) ON TABLE environments TO slipway_app;

-- holds

CREATE TABLE holds (
    id bigint GENERATED ALWAYS AS IDENTITY,
    system_id bigint,
    environment_id bigint,
    kind text NOT NULL,
    production boolean NOT NULL,
    artifact artifact_id,
    reason stated_reason NOT NULL,
    starts_at moment NOT NULL,
    ends_at moment,
    recurrence small_json,
    blocks_rollbacks boolean NOT NULL,
    created_at moment NOT NULL,
    issuer character varying(2000) NOT NULL,
    created_by character varying(1000) NOT NULL,
    released_at moment,
    released_by character varying(1000),
    release_reason stated_reason,
    CONSTRAINT holds_end_after_start CHECK (((ends_at) > (starts_at))),
    CONSTRAINT holds_fit_their_kind CHECK ((
CASE kind
    WHEN 'pin' THEN ((artifact IS NOT NULL) AND (environment_id IS NOT NULL))
    WHEN 'bad' THEN ((artifact IS NOT NULL) AND (environment_id IS NULL))
    ELSE (artifact IS NULL)
END AND ((kind = 'freeze') OR ((system_id IS NOT NULL) AND (ends_at IS NULL) AND (recurrence IS NULL))) AND ((kind = 'freeze') OR (NOT (production OR blocks_rollbacks))) AND ((environment_id IS NULL) OR ((system_id IS NOT NULL) AND (NOT production))))),
    CONSTRAINT holds_kind_known CHECK ((kind = ANY (ARRAY['freeze', 'pin', 'bad']))),
    CONSTRAINT holds_release_is_complete CHECK ((((released_at IS NULL) = (released_by IS NULL)) AND ((released_at IS NULL) = (release_reason IS NULL)))),
    CONSTRAINT holds_pkey PRIMARY KEY (id),
    CONSTRAINT holds_keep_environment FOREIGN KEY (environment_id, system_id) REFERENCES environments(id, system_id),
    CONSTRAINT holds_keep_system FOREIGN KEY (system_id) REFERENCES systems(id)
);
CREATE INDEX holds_bad_marks ON holds (system_id, artifact, created_at) WHERE (kind = 'bad');
CREATE INDEX holds_by_environment ON holds (environment_id, id DESC);
CREATE INDEX holds_by_system ON holds (system_id, id DESC);
CREATE INDEX holds_freezes ON holds (system_id, COALESCE((ends_at), 'infinity')) WHERE ((kind = 'freeze') AND (released_at IS NULL));
CREATE UNIQUE INDEX holds_one_bad_mark ON holds (system_id, artifact) WHERE ((kind = 'bad') AND (released_at IS NULL));
CREATE UNIQUE INDEX holds_one_pin ON holds (environment_id) WHERE ((kind = 'pin') AND (released_at IS NULL));
CREATE TRIGGER holds_are_final BEFORE UPDATE ON holds FOR EACH ROW WHEN ((old.released_at IS NOT NULL)) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER holds_are_kept BEFORE DELETE ON holds FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER holds_are_not_truncated BEFORE TRUNCATE ON holds FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
GRANT SELECT ON TABLE holds TO slipway_app;
GRANT INSERT (system_id, environment_id, kind, production, artifact, reason, starts_at, ends_at, recurrence, blocks_rollbacks, created_at, issuer, created_by) ON TABLE holds TO slipway_app;
GRANT UPDATE (released_at, released_by, release_reason) ON TABLE holds TO slipway_app;

-- hourly_writes

CREATE TABLE hourly_writes (
    issuer character varying(2000) NOT NULL,
    writer character varying(1000) NOT NULL,
    refused boolean NOT NULL,
    hour moment NOT NULL,
    writes integer NOT NULL,
    allowed integer NOT NULL,
    CONSTRAINT hourly_writes_within_rate CHECK (((writes >= 0) AND (writes <= allowed))),
    CONSTRAINT hourly_writes_once PRIMARY KEY (issuer, writer, refused)
);
GRANT SELECT,INSERT ON TABLE hourly_writes TO slipway_app;
GRANT UPDATE (hour, writes, allowed) ON TABLE hourly_writes TO slipway_app;

-- idempotency_keys

CREATE TABLE idempotency_keys (
    issuer character varying(2000) NOT NULL,
    principal character varying(1000) NOT NULL,
    route character varying(1000) NOT NULL,
    key character varying(255) NOT NULL,
    request_digest character varying(64) NOT NULL,
    status integer NOT NULL,
    headers small_json NOT NULL,
    body character varying(500000) NOT NULL,
    created_at moment DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT idempotency_keys_status_is_success CHECK (((status >= 200) AND (status <= 299))),
    CONSTRAINT idempotency_keys_once PRIMARY KEY (issuer, principal, route, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
GRANT SELECT,INSERT,DELETE ON TABLE idempotency_keys TO slipway_app;
GRANT UPDATE (request_digest, status, headers, body, created_at) ON TABLE idempotency_keys TO slipway_app;

-- promotions

CREATE TABLE promotions (
    id bigint GENERATED ALWAYS AS IDENTITY,
    system_id bigint NOT NULL,
    environment_id bigint NOT NULL,
    artifact artifact_id NOT NULL,
    decision text NOT NULL,
    blockers small_json NOT NULL,
    more_blockers boolean NOT NULL,
    still_required small_json,
    decided_at moment NOT NULL,
    decided_by character varying(1000) NOT NULL,
    CONSTRAINT promotions_blockers_are_few CHECK ((jsonb_array_length((blockers)) <= 100)),
    CONSTRAINT promotions_decision_known CHECK ((decision = ANY (ARRAY['granted', 'denied']))),
    CONSTRAINT promotions_pkey PRIMARY KEY (id),
    CONSTRAINT promotions_keep_environment FOREIGN KEY (environment_id, system_id) REFERENCES environments(id, system_id)
);
CREATE INDEX promotions_by_artifact ON promotions (system_id, artifact, decided_at DESC, id DESC);
CREATE INDEX promotions_by_environment ON promotions (environment_id, decided_at DESC, id DESC);
CREATE INDEX promotions_by_system ON promotions (system_id, decided_at DESC, id DESC);
GRANT SELECT ON TABLE promotions TO slipway_app;
GRANT INSERT (system_id, environment_id, artifact, decision, blockers, more_blockers, still_required, decided_at, decided_by) ON TABLE promotions TO slipway_app;

-- publisher_environments

CREATE TABLE publisher_environments (
    publisher_id bigint NOT NULL,
    environment_id bigint NOT NULL,
    system_id bigint NOT NULL,
    github_environment character varying(255),
    CONSTRAINT publisher_environments_once PRIMARY KEY (publisher_id, environment_id),
    CONSTRAINT publisher_environments_end_with_publisher FOREIGN KEY (publisher_id, system_id) REFERENCES publishers(id, system_id) ON DELETE CASCADE,
    CONSTRAINT publisher_environments_keep_environment FOREIGN KEY (environment_id, system_id) REFERENCES environments(id, system_id) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX publisher_environments_by_environment ON publisher_environments (environment_id);
GRANT SELECT,INSERT,DELETE ON TABLE publisher_environments TO slipway_app;

-- publishers

CREATE TABLE publishers (
    id bigint GENERATED ALWAYS AS IDENTITY,
    system_id bigint NOT NULL,
    issuer url NOT NULL,
    repository_owner_id character varying(20) NOT NULL,
    repository_id character varying(20) NOT NULL,
    repository character varying(201) NOT NULL,
    workflow character varying(280) NOT NULL,
    called_workflow character varying(750),
    events text[] NOT NULL,
    ref character varying(255) NOT NULL,
    kinds text[] NOT NULL,
    purposes text[] NOT NULL,
    any_revision boolean NOT NULL,
    created_by character varying(1000) NOT NULL,
    created_at moment DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT publishers_events_known CHECK ((((cardinality(events) >= 1) AND (cardinality(events) <= 5)) AND (array_ndims(events) = 1) AND (events <@ ARRAY['push', 'workflow_dispatch', 'schedule', 'release', 'workflow_run']))),
    CONSTRAINT publishers_kinds_known CHECK ((((cardinality(kinds) >= 1) AND (cardinality(kinds) <= 4)) AND (array_ndims(kinds) = 1) AND (kinds <@ ARRAY['deployments', 'verifications', 'workspaces', 'bindings']))),
    CONSTRAINT publishers_purposes_known CHECK ((((cardinality(purposes) >= 1) AND (cardinality(purposes) <= 3)) AND (array_ndims(purposes) = 1) AND (purposes <@ ARRAY['personal', 'preview', 'debug']))),
    CONSTRAINT publishers_wildcards_are_few CHECK ((((ref) !~ '(\*.*){4}|\*\*') AND ((called_workflow) !~ '(\*.*){4}|\*\*'))),
    CONSTRAINT publishers_of_system UNIQUE (id, system_id),
    CONSTRAINT publishers_pkey PRIMARY KEY (id),
    CONSTRAINT publishers_system_id_fkey FOREIGN KEY (system_id) REFERENCES systems(id) ON DELETE CASCADE
);
CREATE INDEX publishers_by_repository ON publishers (repository_id, repository_owner_id, issuer);
CREATE INDEX publishers_by_system ON publishers (system_id, id DESC);
GRANT SELECT,DELETE ON TABLE publishers TO slipway_app;
GRANT INSERT (system_id, issuer, repository_owner_id, repository_id, repository, workflow, called_workflow, events, ref, kinds, purposes, any_revision, created_by) ON TABLE publishers TO slipway_app;

-- routes

CREATE TABLE routes (
    id bigint GENERATED ALWAYS AS IDENTITY,
    workspace_id bigint NOT NULL,
    environment_id bigint NOT NULL,
    workspace_purpose text NOT NULL,
    workspace_state text NOT NULL,
    workspace_expires_at moment NOT NULL,
    workspace_base_url character varying(2000) NOT NULL,
    client text NOT NULL,
    until moment NOT NULL,
    reason stated_reason,
    set_by_client boolean NOT NULL,
    created_by character varying(1000) NOT NULL,
    created_at moment NOT NULL,
    CONSTRAINT routes_client_known CHECK ((client ~ '^[A-Za-z0-9._~@:|+-]{1,128}$')),
    CONSTRAINT routes_end_with_their_workspace CHECK (((until) <= (workspace_expires_at))),
    CONSTRAINT routes_lead_to_debugging CHECK ((workspace_purpose = 'debug')),
    CONSTRAINT routes_lead_to_what_is_active CHECK ((workspace_state = 'active')),
    CONSTRAINT routes_one_per_client UNIQUE (environment_id, client),
    CONSTRAINT routes_pkey PRIMARY KEY (id),
    CONSTRAINT routes_keep_address FOREIGN KEY (workspace_id, workspace_base_url) REFERENCES workspaces(id, base_url),
    CONSTRAINT routes_lead_to_workspace FOREIGN KEY (workspace_id, environment_id, workspace_purpose, workspace_state, workspace_expires_at) REFERENCES workspaces(id, environment_id, purpose, state, expires_at) ON UPDATE CASCADE
);
CREATE INDEX routes_by_end ON routes (until);
CREATE INDEX routes_by_workspace ON routes (workspace_id, id DESC);
GRANT SELECT,DELETE ON TABLE routes TO slipway_app;
GRANT INSERT (workspace_id, environment_id, workspace_purpose, workspace_state, workspace_expires_at, workspace_base_url, client, until, reason, set_by_client, created_by, created_at) ON TABLE routes TO slipway_app;
GRANT UPDATE (until, reason, set_by_client) ON TABLE routes TO slipway_app;

-- schema_migrations

CREATE TABLE schema_migrations (
    version integer NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    oldest_code integer DEFAULT 1 NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT schema_migrations_pkey PRIMARY KEY (version)
);
GRANT SELECT ON TABLE schema_migrations TO slipway_app;

-- systems

CREATE TABLE systems (
    id bigint GENERATED ALWAYS AS IDENTITY,
    key text NOT NULL,
    name character varying(100) NOT NULL,
    repository url,
    description character varying(2000) NOT NULL,
    artifact_kind text NOT NULL,
    created_at moment DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT systems_artifact_kind_known CHECK ((artifact_kind = ANY (ARRAY['tree', 'sha256']))),
    CONSTRAINT systems_key_is_slug CHECK ((key ~ '^[a-z][a-z0-9-]{1,38}$')),
    CONSTRAINT systems_key_once UNIQUE (key),
    CONSTRAINT systems_pkey PRIMARY KEY (id)
);
GRANT SELECT,DELETE ON TABLE systems TO slipway_app;
GRANT INSERT (key, name, repository, description, artifact_kind) ON TABLE systems TO slipway_app;
GRANT UPDATE (name, repository, description) ON TABLE systems TO slipway_app;

-- verifications

CREATE TABLE verifications (
    id bigint GENERATED ALWAYS AS IDENTITY,
    system_id bigint NOT NULL,
    deployment_id bigint NOT NULL,
    environment_id bigint NOT NULL,
    workspace text DEFAULT 'default' NOT NULL,
    workspace_id bigint,
    artifact artifact_id NOT NULL,
    suite text NOT NULL,
    trigger text NOT NULL,
    outcome text NOT NULL,
    started_at moment NOT NULL,
    finished_at moment NOT NULL,
    passed integer,
    failed integer,
    skipped integer,
    run_url url,
    imported boolean NOT NULL,
    late boolean DEFAULT false NOT NULL,
    issuer character varying(2000) NOT NULL,
    created_by character varying(1000) NOT NULL,
    created_at moment DEFAULT clock_timestamp() NOT NULL,
    counts_at timestamp with time zone GENERATED ALWAYS AS (
CASE
    WHEN imported THEN finished_at
    ELSE created_at
END) STORED NOT NULL,
    repository_id character varying(255),
    run_id character varying(255),
    run_attempt character varying(255),
    CONSTRAINT verifications_are_of_target CHECK (((workspace = 'default') = (workspace_id IS NULL))),
    CONSTRAINT verifications_counts_are_not_negative CHECK (((passed >= 0) AND (failed >= 0) AND (skipped >= 0))),
    CONSTRAINT verifications_finish_after_start CHECK (((finished_at) >= (started_at))),
    CONSTRAINT verifications_late_are_imported CHECK ((imported OR (NOT late))),
    CONSTRAINT verifications_outcome_known CHECK ((outcome = ANY (ARRAY['success', 'failure', 'error', 'cancelled']))),
    CONSTRAINT verifications_suite_known CHECK ((suite ~ '^[A-Za-z0-9][A-Za-z0-9._/-]{0,63}$')),
    CONSTRAINT verifications_trigger_known CHECK ((trigger = ANY (ARRAY['deployment', 'schedule', 'manual']))),
    CONSTRAINT verifications_pkey PRIMARY KEY (id),
    CONSTRAINT verifications_deployment_id_fkey FOREIGN KEY (deployment_id) REFERENCES deployments(id),
    CONSTRAINT verifications_keep_environment FOREIGN KEY (environment_id, system_id) REFERENCES environments(id, system_id),
    CONSTRAINT verifications_keep_workspace FOREIGN KEY (workspace_id, environment_id, workspace) REFERENCES workspaces(id, environment_id, name)
);
CREATE INDEX verifications_after_deployment ON verifications (deployment_id, suite, counts_at DESC, id DESC) INCLUDE (outcome) WHERE ((trigger = 'deployment') AND (outcome = ANY (ARRAY['success', 'failure'])));
CREATE INDEX verifications_by_artifact ON verifications (system_id, artifact, finished_at DESC, id DESC);
CREATE INDEX verifications_by_deployment ON verifications (deployment_id, suite, counts_at DESC, id DESC);
CREATE INDEX verifications_by_environment ON verifications (environment_id, finished_at DESC, id DESC);
CREATE INDEX verifications_by_system ON verifications (system_id, finished_at DESC, id DESC);
CREATE INDEX verifications_counted ON verifications (deployment_id, suite, counts_at DESC, id DESC) WHERE ((outcome = ANY (ARRAY['success', 'failure'])) AND (NOT late));
CREATE UNIQUE INDEX verifications_import_once ON verifications (environment_id, workspace, artifact, suite, finished_at, COALESCE(workspace_id, (0)::bigint)) WHERE imported;
CREATE TRIGGER verifications_are_final BEFORE DELETE OR UPDATE ON verifications FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER verifications_are_not_truncated BEFORE TRUNCATE ON verifications FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
GRANT SELECT ON TABLE verifications TO slipway_app;
GRANT INSERT (system_id, deployment_id, environment_id, workspace, workspace_id, artifact, suite, trigger, outcome, started_at, finished_at, passed, failed, skipped, run_url, imported, late, issuer, created_by, repository_id, run_id, run_attempt) ON TABLE verifications TO slipway_app;

-- workspaces

CREATE TABLE workspaces (
    id bigint GENERATED ALWAYS AS IDENTITY,
    system_id bigint NOT NULL,
    environment_id bigint NOT NULL,
    name text NOT NULL,
    purpose text NOT NULL,
    owner character varying(1000) NOT NULL,
    reason stated_reason NOT NULL,
    base_url character varying(2000),
    database text NOT NULL,
    state text DEFAULT 'active' NOT NULL,
    granted_at moment NOT NULL,
    expires_at moment NOT NULL,
    destroyed_at moment,
    issuer character varying(2000) NOT NULL,
    created_by character varying(1000) NOT NULL,
    repository_id character varying(255),
    created_at moment NOT NULL,
    CONSTRAINT workspaces_base_url_is_https CHECK (((base_url) ~ '^https://([a-z0-9-]+\.)*[a-z0-9-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~%/-]*)?$')),
    CONSTRAINT workspaces_database_known CHECK ((database = ANY (ARRAY['empty', 'clone', 'live']))),
    CONSTRAINT workspaces_destroyed_with_their_state CHECK (((state = 'destroyed') = (destroyed_at IS NOT NULL))),
    CONSTRAINT workspaces_end_in_time CHECK ((((expires_at) > (granted_at)) AND ((expires_at) <= ((granted_at) +
CASE purpose
    WHEN 'debug' THEN '72:00:00'::interval
    ELSE '336:00:00'::interval
END)))),
    CONSTRAINT workspaces_live_data_is_for_debugging CHECK (((database <> 'live') OR (purpose = 'debug'))),
    CONSTRAINT workspaces_name_is_usable CHECK (((name ~ '^[a-z][a-z0-9-]{0,15}$') AND (name !~ '--|-$') AND (name <> 'default'))),
    CONSTRAINT workspaces_purpose_known CHECK ((purpose = ANY (ARRAY['personal', 'preview', 'debug']))),
    CONSTRAINT workspaces_state_known CHECK ((state = ANY (ARRAY['active', 'expired', 'destroyed']))),
    CONSTRAINT workspaces_as_address UNIQUE (id, base_url),
    CONSTRAINT workspaces_as_routed UNIQUE (id, environment_id, purpose, state, expires_at),
    CONSTRAINT workspaces_as_target UNIQUE (id, environment_id, name),
    CONSTRAINT workspaces_pkey PRIMARY KEY (id),
    CONSTRAINT workspaces_keep_environment FOREIGN KEY (environment_id, system_id) REFERENCES environments(id, system_id)
);
CREATE INDEX workspaces_active ON workspaces (environment_id, expires_at) WHERE (state = 'active');
CREATE INDEX workspaces_by_end ON workspaces (expires_at) WHERE (state = 'active');
CREATE INDEX workspaces_by_name ON workspaces (environment_id, name, id DESC);
CREATE INDEX workspaces_by_system ON workspaces (system_id, created_at DESC, id DESC);
CREATE UNIQUE INDEX workspaces_name_once ON workspaces (environment_id, name) WHERE (state <> 'destroyed');
CREATE TRIGGER workspaces_are_kept BEFORE DELETE ON workspaces FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER workspaces_are_not_truncated BEFORE TRUNCATE ON workspaces FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER workspaces_never_come_back BEFORE UPDATE ON workspaces FOR EACH ROW WHEN (((old.state = 'destroyed') OR ((old.state = 'expired') AND (new.state = 'active')))) EXECUTE FUNCTION refuse_change();
GRANT SELECT ON TABLE workspaces TO slipway_app;
GRANT INSERT (system_id, environment_id, name, purpose, owner, reason, base_url, database, granted_at, expires_at, issuer, created_by, repository_id, created_at) ON TABLE workspaces TO slipway_app;
GRANT UPDATE (owner, reason, base_url, state, granted_at, expires_at, destroyed_at) ON TABLE workspaces TO slipway_app;

-- All other statements

CREATE DOMAIN artifact_id AS text
	CONSTRAINT artifact_id_known CHECK ((VALUE ~ '^(tree:([0-9a-f]{40}|[0-9a-f]{64})|sha256:[0-9a-f]{64})$'));

CREATE DOMAIN commit_sha AS text
	CONSTRAINT commit_sha_known CHECK (((length(VALUE) = ANY (ARRAY[40, 64])) AND (VALUE !~ '[^0-9a-f]')));

CREATE DOMAIN deployment_state AS text
	CONSTRAINT deployment_state_known CHECK ((VALUE = ANY (ARRAY['in_progress', 'succeeded', 'failed', 'cancelled'])));

CREATE DOMAIN moment AS timestamp with time zone
	CONSTRAINT moment_in_range CHECK (((EXTRACT(year FROM (VALUE AT TIME ZONE 'UTC')) >= (1970)::numeric) AND (EXTRACT(year FROM (VALUE AT TIME ZONE 'UTC')) <= (9998)::numeric)));

CREATE DOMAIN small_json AS jsonb
	CONSTRAINT small_json_readable CHECK (((octet_length((VALUE)) <= 262144) AND (NOT (VALUE @? '$.**{10}'::jsonpath)) AND (NOT (VALUE @? '$.**?(@ > 1000000000000000 || @ < -1000000000000000)'::jsonpath))));

CREATE DOMAIN stated_reason AS character varying(500)
	CONSTRAINT stated_reason_known CHECK ((((VALUE) <> '') AND (("left"((VALUE), 1) || "right"((VALUE), 1)) !~ '[\u0001-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]')));

CREATE DOMAIN url AS character varying(2000)
	CONSTRAINT url_known CHECK (((VALUE) ~ '^https?://[!-~]+$'));

CREATE FUNCTION claim_aws_account() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
BEGIN
    INSERT INTO aws_accounts (id, production, system_id)
    VALUES (NEW.aws_account_id, NEW.production, NEW.system_id)
    ON CONFLICT (id) DO UPDATE SET id = EXCLUDED.id;
    RETURN NEW;
END
$$;

CREATE FUNCTION compare_artifacts(head_artifact text, base_artifact text, to_environment bigint, or_before bigint, most_steps integer, whole_chain boolean) RETURNS TABLE(ahead_by bigint, more_commits boolean, commits json, behind_by bigint, more_removed boolean, removed json)
    LANGUAGE plpgsql STABLE
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
BEGIN
    RETURN QUERY
    WITH RECURSIVE walk AS (
        -- Each step leaves the later one of the two deployments, `head` and `base`. When they are the same, the chains
        -- meet. So each deployment that was left is in one of the two chains only.
        SELECT 0 AS step, head, base, NULL::deployments AS passed, NULL::boolean AS of_head, 0::bigint AS head_commits
        FROM first_deployment(head_artifact, to_environment, or_before) AS head
            LEFT JOIN first_deployment(base_artifact, to_environment, or_before) AS base ON true
        UNION ALL
        SELECT step + 1,
            CASE WHEN later.is_head THEN below ELSE head END,
            CASE WHEN later.is_head THEN base ELSE below END,
            later.node, later.is_head,
            head_commits + CASE WHEN later.is_head THEN (head).commit_count ELSE 0 END
        FROM walk
        CROSS JOIN LATERAL (
            SELECT side.is_head, CASE WHEN side.is_head THEN head ELSE base END AS node
            FROM (
                SELECT (base).id IS NULL OR coalesce(
                    ((head).finished_at, (head).id) > ((base).finished_at, (base).id), false
                ) AS is_head
            ) AS side
        ) AS later
        LEFT JOIN LATERAL deployment_below(later.node, to_environment, or_before) AS below ON true
        WHERE (head).id IS DISTINCT FROM (base).id AND step < most_steps AND (whole_chain OR head_commits <= 100)
    ), finish AS (
        SELECT head AS node, (head).id IS NOT DISTINCT FROM (base).id AS met FROM walk ORDER BY step DESC LIMIT 1
    ), nodes AS (
        SELECT of_head, step, (passed).id AS id,
            sum((passed).commit_count) OVER (PARTITION BY of_head ORDER BY step) - (passed).commit_count AS skipped
        FROM walk WHERE step > 0
    ), examined AS (
        SELECT side.of_head, c.*, row_number() OVER (
            PARTITION BY side.of_head ORDER BY step, authored_at DESC, sha DESC
        ) AS place
        FROM (VALUES (true), (false)) AS side (of_head)
        CROSS JOIN LATERAL (
            SELECT n.step, c.* FROM nodes n
            CROSS JOIN LATERAL (
                SELECT sha, authored_at, subject FROM deployment_commits
                WHERE deployment_id = n.id ORDER BY authored_at DESC, sha DESC LIMIT 101
            ) AS c
            WHERE n.of_head = side.of_head AND n.skipped <= 100
            ORDER BY n.step, c.authored_at DESC, c.sha DESC LIMIT 101
        ) AS c
    ), oldest AS (
        -- The oldest deployment in the common part of the chains that may have delivered one of these commits too. If
        -- more than ten deployments delivered a commit, the oldest ten are looked at.
        SELECT d.finished_at, d.id
        FROM examined AS c CROSS JOIN finish CROSS JOIN unnest(ARRAY[to_environment, or_before]) AS there (id)
        CROSS JOIN LATERAL (
            SELECT deployment_id FROM deployment_commits
            WHERE environment_id = there.id AND sha = c.sha ORDER BY deployment_id LIMIT 10
        ) AS delivery
        -- OFFSET 0 keeps the look-up of each deployment by its id. A join may read the whole table.
        CROSS JOIN LATERAL (SELECT * FROM deployments WHERE id = delivery.deployment_id OFFSET 0) AS d
        WHERE finish.met AND d.workspace = 'default' AND d.state = 'succeeded'
            AND (d.finished_at, d.id) <= ((finish.node).finished_at, (finish.node).id)
        ORDER BY d.finished_at, d.id LIMIT 1
    ), common AS (
        SELECT 0 AS step, finish.node FROM finish CROSS JOIN oldest
        UNION ALL
        SELECT step + 1, below
        FROM common CROSS JOIN oldest
        CROSS JOIN LATERAL deployment_below(common.node, to_environment, or_before) AS below
        WHERE step < most_steps
            AND ((common.node).finished_at, (common.node).id) > (oldest.finished_at, oldest.id)
    ), differing AS (
        -- LIMIT keeps the look-up of each deployment in the primary key. A join may read all of their commits.
        SELECT DISTINCT ON (of_head, sha) c.* FROM examined AS c
        WHERE place <= 100
            AND NOT EXISTS (
                SELECT FROM nodes AS n CROSS JOIN LATERAL (
                    SELECT FROM deployment_commits WHERE deployment_id = n.id AND sha = c.sha LIMIT 1
                ) AS delivery
                WHERE n.of_head <> c.of_head
            )
            AND NOT EXISTS (
                SELECT FROM common AS n CROSS JOIN LATERAL (
                    SELECT FROM deployment_commits WHERE deployment_id = (n.node).id AND sha = c.sha LIMIT 1
                ) AS delivery
            )
        ORDER BY of_head, sha, place
    ), sides AS (
        SELECT side.of_head,
            CASE WHEN EXISTS (SELECT FROM examined e WHERE e.of_head = side.of_head)
                OR EXISTS (SELECT FROM finish) AND NOT EXISTS (SELECT FROM nodes n WHERE n.of_head = side.of_head)
                THEN (SELECT count(*) FROM differing c WHERE c.of_head = side.of_head) END AS number,
            coalesce(
                NOT (SELECT met FROM finish)
                    OR EXISTS (SELECT FROM examined e WHERE e.of_head = side.of_head AND place > 100), false
            ) AS more,
            (
                SELECT coalesce(json_agg(
                    json_build_object('sha', sha, 'authored_at', authored_at, 'subject', subject) ORDER BY place
                ), '[]')
                FROM differing c WHERE c.of_head = side.of_head
            ) AS shown
        FROM (VALUES (true), (false)) AS side (of_head)
    )
    SELECT head.number, head.more, head.shown, base.number, base.more, base.shown
    FROM sides AS head JOIN sides AS base ON head.of_head AND NOT base.of_head;
END
$$;

CREATE FUNCTION count_commits_ahead(head_artifact text, base_artifact text, to_environment bigint, or_before bigint) RETURNS bigint
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    most CONSTANT integer := 30;
    head deployments;
    base deployments;
    of_head boolean;
    head_ids bigint[] := '{}';
    -- The deployments that are known to be in the chain of the base.
    base_ids bigint[] := '{}';
    head_commits bigint := 0;
    steps integer := 0;
    newest text[];
    others bigint[];
    oldest record;
    number bigint;
BEGIN
    SELECT * INTO head FROM first_deployment(head_artifact, to_environment, or_before);
    SELECT * INTO base FROM first_deployment(base_artifact, to_environment, or_before);
    IF head.id IS NULL THEN
        RETURN NULL;
    END IF;

    -- The chains meet, as in `compare_artifacts`.
    WHILE head.id IS DISTINCT FROM base.id AND head_commits <= 100 LOOP
        IF steps = most THEN
            RETURN NULL;
        END IF;
        steps := steps + 1;
        of_head := base.id IS NULL OR coalesce((head.finished_at, head.id) > (base.finished_at, base.id), false);
        IF of_head THEN
            head_ids := head_ids || head.id;
            head_commits := head_commits + head.commit_count;
            SELECT * INTO head FROM deployment_below(head, to_environment, or_before);
        ELSE
            base_ids := base_ids || base.id;
            SELECT * INTO base FROM deployment_below(base, to_environment, or_before);
        END IF;
    END LOOP;
    IF head_ids = '{}' THEN
        RETURN 0;
    END IF;

    SELECT array_agg(DISTINCT sha) INTO newest FROM (
        SELECT c.sha FROM unnest(head_ids) WITH ORDINALITY AS its (id, place)
        CROSS JOIN LATERAL (
            SELECT sha, authored_at FROM deployment_commits
            WHERE deployment_id = its.id ORDER BY authored_at DESC, sha DESC LIMIT 100
        ) AS c
        ORDER BY its.place, c.authored_at DESC, c.sha DESC LIMIT 100
    ) AS c;

    -- The other deployments that delivered one of these commits. Almost always, there is none. OFFSET 0 keeps the
    -- look-up of each commit in the index. A join may read the whole table.
    SELECT array_agg(DISTINCT delivery.id) FILTER (WHERE delivery.id <> ALL (head_ids)), count(*) INTO others, number
    FROM (
        SELECT its.deployment_id AS id
        FROM unnest(newest) AS c (sha) CROSS JOIN unnest(ARRAY[to_environment, or_before]) AS there (id)
        CROSS JOIN LATERAL (
            SELECT deployment_id FROM deployment_commits WHERE environment_id = there.id AND sha = c.sha OFFSET 0
        ) AS its
        LIMIT 1001
    ) AS delivery;
    IF number > 1000 OR cardinality(others) > 200 THEN
        RETURN NULL;
    ELSIF others IS NULL THEN
        RETURN cardinality(newest);
    END IF;

    -- The common part of the chains, down to the oldest of these deployments.
    SELECT d.finished_at, d.id INTO oldest FROM unnest(others) AS other (id)
    CROSS JOIN LATERAL (SELECT * FROM deployments WHERE id = other.id OFFSET 0) AS d
    WHERE head.id IS NOT DISTINCT FROM base.id AND d.workspace = 'default' AND d.state = 'succeeded'
        AND (d.finished_at, d.id) <= (head.finished_at, head.id)
    ORDER BY d.finished_at, d.id LIMIT 1;
    steps := 0;
    WHILE (head.finished_at, head.id) >= (oldest.finished_at, oldest.id) LOOP
        IF steps = most THEN
            RETURN NULL;
        END IF;
        steps := steps + 1;
        base_ids := base_ids || head.id;
        SELECT * INTO head FROM deployment_below(head, to_environment, or_before);
    END LOOP;

    SELECT count(*) INTO number FROM unnest(newest) AS c (sha) WHERE NOT EXISTS (
        SELECT FROM unnest(ARRAY[to_environment, or_before]) AS there (id)
        CROSS JOIN LATERAL (
            SELECT deployment_id FROM deployment_commits WHERE environment_id = there.id AND sha = c.sha OFFSET 0
        ) AS its
        WHERE its.deployment_id = ANY (base_ids)
    );
    RETURN number;
END
$$;

CREATE FUNCTION deployment_below(node deployments, to_environment bigint, or_before bigint) RETURNS SETOF deployments
    LANGUAGE sql STABLE ROWS 1
    AS $$
    SELECT below.* FROM (
        SELECT d.artifact FROM deployments d
        WHERE d.environment_id = node.environment_id AND d.workspace = 'default' AND d.state = 'succeeded'
            AND NOT d.late AND (d.finished_at, d.id) < (node.finished_at, node.id)
        ORDER BY d.finished_at DESC, d.id DESC LIMIT 1
    ) AS ran_before
    CROSS JOIN LATERAL first_deployment(ran_before.artifact, to_environment, or_before) AS below
$$;

CREATE FUNCTION first_deployment(of_artifact text, to_environment bigint, or_before bigint) RETURNS SETOF deployments
    LANGUAGE sql STABLE ROWS 1
    AS $$
    SELECT ran.* FROM (VALUES (to_environment), (or_before)) AS there (id)
    CROSS JOIN LATERAL (
        SELECT d.* FROM deployments d
        WHERE d.environment_id = there.id AND d.workspace = 'default' AND d.state = 'succeeded'
            AND d.artifact = of_artifact AND NOT d.late
        ORDER BY d.finished_at, d.id LIMIT 1
    ) AS ran
    ORDER BY ran.finished_at, ran.id LIMIT 1
$$;

CREATE FUNCTION first_system_of_aws_account(account text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
BEGIN
    RETURN (SELECT s.key FROM aws_accounts a JOIN systems s ON s.id = a.system_id WHERE a.id = account);
END
$$;

CREATE FUNCTION refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'a row of % never changes', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
END
$$;

CREATE FUNCTION settle_aws_account() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
BEGIN
    -- First wait for other transactions that claim the account. The next statements then see their writes.
    PERFORM FROM aws_accounts WHERE id = OLD.aws_account_id FOR UPDATE;
    IF TG_OP = 'UPDATE' THEN
        UPDATE aws_accounts SET production = NEW.production
        WHERE id = NEW.aws_account_id AND production <> NEW.production
            AND NOT EXISTS (SELECT FROM environments WHERE aws_account_id = NEW.aws_account_id AND id <> NEW.id);
    END IF;
    DELETE FROM aws_accounts
    WHERE id = OLD.aws_account_id
        AND NOT EXISTS (SELECT FROM environments WHERE aws_account_id = OLD.aws_account_id);
    UPDATE aws_accounts a SET system_id = (
        SELECT e.system_id FROM environments e WHERE e.aws_account_id = a.id ORDER BY e.id LIMIT 1
    )
    WHERE a.id = OLD.aws_account_id
        AND NOT EXISTS (SELECT FROM environments e WHERE e.aws_account_id = a.id AND e.system_id = a.system_id);
    RETURN NULL;
END
$$;

REVOKE USAGE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO slipway_app;

REVOKE ALL ON FUNCTION claim_aws_account() FROM PUBLIC;

REVOKE ALL ON FUNCTION compare_artifacts(head_artifact text, base_artifact text, to_environment bigint, or_before bigint, most_steps integer, whole_chain boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION compare_artifacts(head_artifact text, base_artifact text, to_environment bigint, or_before bigint, most_steps integer, whole_chain boolean) TO slipway_app;

REVOKE ALL ON FUNCTION count_commits_ahead(head_artifact text, base_artifact text, to_environment bigint, or_before bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION count_commits_ahead(head_artifact text, base_artifact text, to_environment bigint, or_before bigint) TO slipway_app;

REVOKE ALL ON FUNCTION deployment_below(node deployments, to_environment bigint, or_before bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION deployment_below(node deployments, to_environment bigint, or_before bigint) TO slipway_app;

REVOKE ALL ON FUNCTION first_deployment(of_artifact text, to_environment bigint, or_before bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION first_deployment(of_artifact text, to_environment bigint, or_before bigint) TO slipway_app;

REVOKE ALL ON FUNCTION first_system_of_aws_account(account text) FROM PUBLIC;
GRANT ALL ON FUNCTION first_system_of_aws_account(account text) TO slipway_app;

REVOKE ALL ON FUNCTION refuse_change() FROM PUBLIC;

REVOKE ALL ON FUNCTION settle_aws_account() FROM PUBLIC;

ALTER DEFAULT PRIVILEGES FOR ROLE slipway_migrator REVOKE ALL ON FUNCTIONS FROM PUBLIC;
