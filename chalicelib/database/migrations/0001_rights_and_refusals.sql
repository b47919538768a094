-- The service acts as slipway_app. This role may do only what this and later migrations grant, so it can't change
-- history. Migrations run as slipway_migrator, which owns the schema.

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO slipway_app;

-- By default PostgreSQL lets every role execute each function. This statement revokes the right for functions that are
-- created from now on. Triggers still fire.
ALTER DEFAULT PRIVILEGES FOR ROLE slipway_migrator REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

GRANT SELECT ON schema_migrations TO slipway_app;

-- These types, varchar and the checks of the tables bound each value that the service may write. So nobody can plant a
-- value that the service can't read, even with the service's rights. INSERT is granted without the columns `id`, so that
-- nobody can reserve the next ids.

CREATE DOMAIN moment AS timestamptz
    CONSTRAINT moment_in_range CHECK (extract(year FROM VALUE AT TIME ZONE 'UTC') BETWEEN 1970 AND 9998);

CREATE DOMAIN url AS varchar(2000) CONSTRAINT url_known CHECK (VALUE ~ '^https?://[!-~]+$');

-- A reason has no white space and no control character at its start or its end.
CREATE DOMAIN stated_reason AS varchar(500) CONSTRAINT stated_reason_known CHECK (
    VALUE <> '' AND left(VALUE, 1) || right(VALUE, 1) !~
        '[\u0001-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]'
);

-- JSON that every program can read: short, with few levels, and without huge numbers.
CREATE DOMAIN small_json AS jsonb CONSTRAINT small_json_readable CHECK (
    octet_length(VALUE::text) <= 262144 AND NOT VALUE @? '$.**{10}' AND NOT VALUE @? '$.** ? (@ > 1e15 || @ < -1e15)'
);

-- Triggers call this function to refuse a change. The trigger's name tells callers which rule they broke.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a row of % never changes', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
END
$$;
