-- What the service may do, which acts as slipway_app: what is granted here, and by the migrations that add to the
-- schema. Of what is recorded it may neither change nor delete anything. The schema is slipway_migrator's, as whom
-- migrations run.

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO slipway_app;

-- Everybody may execute a function unless told otherwise; those of later migrations are closed by default, too.
-- Triggers fire all the same.
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE slipway_migrator REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

GRANT SELECT ON schema_migrations TO slipway_app;

-- When an event happened is for the database to say: its column `at` has no INSERT.
GRANT SELECT, INSERT (system_key, issuer, principal, action, resource, before, after, request_id, refusal)
    ON audit_events TO slipway_app;
GRANT SELECT, INSERT, UPDATE (request_digest, status, headers, body, created_at) ON idempotency_keys TO slipway_app;

-- A system's key and an environment's name are what callers know it by: they stay.
GRANT SELECT, INSERT, DELETE, UPDATE (name, repository, description) ON systems TO slipway_app;
GRANT SELECT, INSERT, DELETE, UPDATE (
    rank, aws_account_id, region, base_url, production,
    required_soak_seconds, verification_max_age_seconds, required_suites
) ON environments TO slipway_app;

-- A deployment in progress is renewed or finished; what went where, and who asked for it, stays.
GRANT SELECT, INSERT, UPDATE (state, detail, finished_at, lease_expires_at) ON deployments TO slipway_app;
GRANT SELECT, INSERT ON deployment_statuses, deployment_commits, promotions, verifications TO slipway_app;

-- The class of an AWS account follows from its environments, and is nothing that the service could set: it has no
-- right to aws_accounts, and the triggers act as their owner. A fixed search_path, so that nobody can make them
-- take another table for it.
ALTER FUNCTION claim_aws_account() SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp;
ALTER FUNCTION settle_aws_account() SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp;

-- Against everybody else the triggers hold what is recorded, and it can't be truncated either.
CREATE TRIGGER audit_events_are_not_truncated BEFORE TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER deployments_are_not_truncated BEFORE TRUNCATE ON deployments
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER verifications_are_not_truncated BEFORE TRUNCATE ON verifications
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
