-- Clients whose calls go to a workspace. A route copies the properties of its workspace that the route's rules need. The
-- foreign key keeps the copies current. While the route exists, a change that breaks one of the rules is refused.
CREATE TABLE routes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id bigint NOT NULL,
    environment_id bigint NOT NULL,
    workspace_purpose text NOT NULL,
    workspace_state text NOT NULL,
    workspace_expires_at moment NOT NULL,
    workspace_base_url varchar(2000) NOT NULL,
    client text NOT NULL,
    until moment NOT NULL,
    reason stated_reason,
    -- True if the client itself set the route. Nobody else can be routed to a host that the environment does not name.
    set_by_client boolean NOT NULL,
    created_by varchar(1000) NOT NULL,
    created_at moment NOT NULL,
    CONSTRAINT routes_lead_to_workspace
        FOREIGN KEY (workspace_id, environment_id, workspace_purpose, workspace_state, workspace_expires_at)
        REFERENCES workspaces (id, environment_id, purpose, state, expires_at) ON UPDATE CASCADE,
    -- This key does not cascade: otherwise a change of the address would redirect the clients.
    CONSTRAINT routes_keep_address
        FOREIGN KEY (workspace_id, workspace_base_url) REFERENCES workspaces (id, base_url),
    CONSTRAINT routes_lead_to_debugging CHECK (workspace_purpose = 'debug'),
    CONSTRAINT routes_lead_to_what_is_active CHECK (workspace_state = 'active'),
    CONSTRAINT routes_end_with_their_workspace CHECK (until <= workspace_expires_at),
    CONSTRAINT routes_client_known CHECK (client ~ '^[A-Za-z0-9._~@:|+-]{1,128}$'),
    CONSTRAINT routes_one_per_client UNIQUE (environment_id, client)
);

CREATE INDEX routes_by_workspace ON routes (workspace_id, id DESC);
CREATE INDEX routes_by_end ON routes (until);

GRANT INSERT (
    workspace_id, environment_id, workspace_purpose, workspace_state, workspace_expires_at,
    workspace_base_url, client, until, reason, set_by_client, created_by, created_at
) ON routes TO slipway_app;
GRANT SELECT, DELETE, UPDATE (until, reason, set_by_client) ON routes TO slipway_app;
