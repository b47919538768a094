-- The service acts as slipway_app. This role may do only what this and later migrations grant, so it can't change
-- history. Migrations run as slipway_migrator, which owns the schema.

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO slipway_app;

-- By default PostgreSQL lets every role execute each function. This statement revokes the right for functions that are
-- created from now on. Triggers still fire.
ALTER DEFAULT PRIVILEGES FOR ROLE slipway_migrator REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

GRANT SELECT ON schema_migrations TO slipway_app;

-- Triggers call this function to refuse a change. The trigger's name tells callers which rule they broke.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a row of % never changes', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
END
$$;
