"""The Chalice application. It registers the blueprints, the steps of the sweep, and the SQL that reads publishers."""

import gc
import os

# Imports leave no garbage, and looking for it takes an eighth of their time. The end of this file starts the search.
gc.disable()

from chalice.app import Chalice

from chalicelib import NAME
from chalicelib.api_description.endpoints import blueprint as api_description
from chalicelib.approvals.endpoints import blueprint as approvals
from chalicelib.artifacts.endpoints import blueprint as artifacts
from chalicelib.audit.endpoints import blueprint as audit
from chalicelib.bindings.endpoints import blueprint as bindings
from chalicelib.client_routes import store as routes_store
from chalicelib.client_routes.endpoints import blueprint as client_routes
from chalicelib.commit_places.endpoints import blueprint as commit_places
from chalicelib.configuration.endpoints import blueprint as configuration
from chalicelib.database.maintenance import blueprint as maintenance
from chalicelib.deployments import leases
from chalicelib.deployments.endpoints import blueprint as deployments
from chalicelib.environments.endpoints import blueprint as environments
from chalicelib.health.endpoints import blueprint as health
from chalicelib.holds.endpoints import blueprint as holds
from chalicelib.identity.authorizer import blueprint as identity
from chalicelib.me.endpoints import blueprint as me
from chalicelib.metrics.endpoints import blueprint as metrics
from chalicelib.overview.endpoints import blueprint as overview
from chalicelib.promotions.endpoints import blueprint as promotions
from chalicelib.publishers.endpoints import blueprint as publishers
from chalicelib.publishers.store import TRUST_RULES
from chalicelib.rest import admission
from chalicelib.state.endpoints import blueprint as state
from chalicelib.sweep.schedule import STEPS, Step
from chalicelib.sweep.schedule import blueprint as sweep
from chalicelib.systems.endpoints import blueprint as systems
from chalicelib.telemetry.logs import configure
from chalicelib.upcoming_changes.endpoints import blueprint as upcoming_changes
from chalicelib.verifications.endpoints import blueprint as verifications
from chalicelib.workspaces import store as workspaces_store
from chalicelib.workspaces.endpoints import blueprint as workspaces

configure()
admission.publishers_column = TRUST_RULES

app = Chalice(app_name=NAME, configure_logs=False)  # its logger is ours, and `configure` has set it up
app.api.binary_types = []

for blueprint in (
    identity,
    maintenance,
    sweep,
    health,
    api_description,
    configuration,
    me,
    systems,
    environments,
    bindings,
    publishers,
    workspaces,
    client_routes,
    deployments,
    verifications,
    promotions,
    holds,
    approvals,
    artifacts,
    upcoming_changes,
    commit_places,
    state,
    overview,
    metrics,
    audit,
):
    app.register_blueprint(blueprint)

# The sweep runs the steps in this order: a route ends before its workspace.
STEPS["deployments"] = Step(leases.DUE, leases.lapse, leases.COUNTED)
STEPS["routes"] = Step(routes_store.DUE, routes_store.lapse)
STEPS["workspaces"] = Step(workspaces_store.DUE, workspaces_store.expire)

if "AWS_CHALICE_CLI_MODE" in os.environ:  # `chalice local` answers each request in a thread of its own
    from chalicelib.rest import threads

    threads.prepare()

gc.freeze()  # nothing that exists now ever becomes garbage, so no search looks at it
gc.enable()
