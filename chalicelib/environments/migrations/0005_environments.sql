-- The class of each AWS account: an account holds production environments or others, never both. An environment refers
-- to its account and class together, so an environment of the other class can't refer to the account. `system_id` is the
-- system that named the account first.
CREATE TABLE aws_accounts (
    id text NOT NULL PRIMARY KEY,
    production boolean NOT NULL,
    system_id bigint NOT NULL,
    CONSTRAINT aws_accounts_first_system FOREIGN KEY (system_id) REFERENCES systems (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT aws_accounts_id_is_twelve_digits CHECK (id ~ '^[0-9]{12}$'),
    CONSTRAINT aws_accounts_class UNIQUE (id, production)
);

CREATE TABLE environments (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    system_id bigint NOT NULL REFERENCES systems (id) ON DELETE CASCADE,
    name text NOT NULL,
    rank integer NOT NULL,
    aws_account_id varchar(12),
    region varchar(30),
    base_url url,
    production boolean NOT NULL,
    required_soak_seconds integer NOT NULL,
    verification_max_age_seconds integer,
    required_suites varchar(64)[] NOT NULL,
    required_approvals integer NOT NULL DEFAULT 0,
    workspace_hosts varchar(254)[] NOT NULL DEFAULT '{}',
    created_at moment NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT environments_name_once UNIQUE (system_id, name),
    CONSTRAINT environments_rank_once UNIQUE (system_id, rank),
    CONSTRAINT environments_of_system UNIQUE (id, system_id),
    CONSTRAINT environments_name_is_slug CHECK (name ~ '^[a-z][a-z0-9-]{1,38}$'),
    CONSTRAINT environments_base_url_is_https CHECK (
        base_url ~
        '^(https://([a-z0-9-]+\.)*[a-z0-9-]+|http://(localhost|127\.0\.0\.1))(:[0-9]{1,5})?(/[A-Za-z0-9._~%/-]*)?$'
    ),
    CONSTRAINT environments_rank_is_bounded CHECK (rank BETWEEN 1 AND 1000),
    CONSTRAINT environments_required_soak_is_bounded CHECK (required_soak_seconds BETWEEN 0 AND 31536000),
    CONSTRAINT environments_verification_max_age_is_bounded
        CHECK (verification_max_age_seconds BETWEEN 1 AND 31536000),
    CONSTRAINT environments_required_approvals_are_few CHECK (required_approvals BETWEEN 0 AND 5),
    CONSTRAINT environments_region_known CHECK (region ~ '^[a-z]{2,4}(-[a-z]+)+-[0-9]$'),
    -- These two checks compare each list with those of its values that match the pattern.
    CONSTRAINT environments_required_suites_known CHECK (
        cardinality(required_suites) <= 50
        AND to_jsonb(required_suites) = jsonb_path_query_array(
            to_jsonb(required_suites), 'strict $[*] ? (@ like_regex "^[A-Za-z0-9][A-Za-z0-9._/-]{0,63}$")'
        )
    ),
    CONSTRAINT environments_workspace_hosts_known CHECK (
        cardinality(workspace_hosts) <= 50
        AND to_jsonb(workspace_hosts) = jsonb_path_query_array(
            to_jsonb(workspace_hosts), 'strict $[*] ? (@ like_regex "^[.]?([a-z0-9-]+[.])+[a-z][a-z0-9-]*$")'
        )
    ),
    -- The check waits until COMMIT, so that the only environment of an account may change its class.
    CONSTRAINT environments_account_holds_one_class
        FOREIGN KEY (aws_account_id, production) REFERENCES aws_accounts (id, production)
        DEFERRABLE INITIALLY DEFERRED
);

CREATE INDEX environments_by_account ON environments (aws_account_id);

-- The service has no right to aws_accounts: these functions act as their owner. Their search_path is fixed, so that
-- nobody can replace aws_accounts with another table.

-- An account takes the class and the system of its first environment. The write to the account's row makes other
-- transactions wait.
CREATE FUNCTION claim_aws_account() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO aws_accounts (id, production, system_id)
    VALUES (NEW.aws_account_id, NEW.production, NEW.system_id)
    ON CONFLICT (id) DO UPDATE SET id = EXCLUDED.id;
    RETURN NEW;
END
$$;

CREATE TRIGGER environments_claim_aws_account BEFORE INSERT OR UPDATE ON environments
    FOR EACH ROW WHEN (NEW.aws_account_id IS NOT NULL) EXECUTE FUNCTION claim_aws_account();

-- If an account's only environment changes class, the account changes class too. If no environment is left in the
-- account, the account's row is deleted. If only other systems are left, the one with the oldest environment counts as
-- the first.
CREATE FUNCTION settle_aws_account() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
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

CREATE TRIGGER environments_settle_aws_account AFTER UPDATE OR DELETE ON environments
    FOR EACH ROW WHEN (OLD.aws_account_id IS NOT NULL) EXECUTE FUNCTION settle_aws_account();

-- Return the key of the system that named an account first. The function is volatile, so it also sees what other
-- transactions committed while the calling statement waited for the account's row.
CREATE FUNCTION first_system_of_aws_account(account text) RETURNS text LANGUAGE plpgsql VOLATILE
    SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN (SELECT s.key FROM aws_accounts a JOIN systems s ON s.id = a.system_id WHERE a.id = account);
END
$$;

GRANT EXECUTE ON FUNCTION first_system_of_aws_account TO slipway_app;

-- Callers know an environment by its name, so the name never changes.
GRANT INSERT (
    system_id, name, rank, aws_account_id, region, base_url, production,
    required_soak_seconds, verification_max_age_seconds, required_suites, required_approvals, workspace_hosts
) ON environments TO slipway_app;
GRANT SELECT, DELETE, UPDATE (
    rank, aws_account_id, region, base_url, production,
    required_soak_seconds, verification_max_age_seconds, required_suites, required_approvals, workspace_hosts
) ON environments TO slipway_app;
