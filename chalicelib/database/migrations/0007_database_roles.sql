-- The service acts as slipway_app. This role may do only what this and later migrations grant, so it can't change
-- history. Migrations run as slipway_migrator, which owns the schema.

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO slipway_app;

-- By default PostgreSQL lets every role execute each function. These statements revoke this right, for later functions
-- too. Triggers still fire.
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE slipway_migrator REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

GRANT SELECT ON schema_migrations TO slipway_app;

-- The database sets the time of an event, so the service may not insert the column `at`.
GRANT SELECT, INSERT (system_key, issuer, principal, action, resource, before, after, request_id, refusal)
    ON audit_events TO slipway_app;
GRANT SELECT, INSERT, UPDATE (request_digest, status, headers, body, created_at) ON idempotency_keys TO slipway_app;

-- Callers know a system by its key and an environment by its name, so these never change.
GRANT SELECT, INSERT, DELETE, UPDATE (name, repository, description) ON systems TO slipway_app;
GRANT SELECT, INSERT, DELETE, UPDATE (
    rank, aws_account_id, region, base_url, production,
    required_soak_seconds, verification_max_age_seconds, required_suites
) ON environments TO slipway_app;

-- A deployment in progress can be renewed or finished. Its artifact, its target and its caller never change.
GRANT SELECT, INSERT, UPDATE (state, detail, finished_at, lease_expires_at) ON deployments TO slipway_app;
GRANT SELECT, INSERT ON deployment_statuses, deployment_commits, promotions, verifications TO slipway_app;

-- The class of an AWS account follows from the account's environments. The service has no right to aws_accounts: the
-- triggers act as their owner. Their search_path is fixed, so that nobody can put another table in its place.
ALTER FUNCTION claim_aws_account() SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp;
ALTER FUNCTION settle_aws_account() SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp;

-- Triggers protect records from every role, even from the owner. These refuse TRUNCATE.
CREATE TRIGGER audit_events_are_not_truncated BEFORE TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER deployments_are_not_truncated BEFORE TRUNCATE ON deployments
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER verifications_are_not_truncated BEFORE TRUNCATE ON verifications
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
