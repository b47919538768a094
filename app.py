"""The Chalice application: which blueprints it is made of. Nothing else happens here."""

from chalice.app import Chalice

from chalicelib.api_description.routes import blueprint as api_description
from chalicelib.artifacts.routes import blueprint as artifacts
from chalicelib.audit.routes import blueprint as audit
from chalicelib.database.maintenance import blueprint as maintenance
from chalicelib.deployments.routes import blueprint as deployments
from chalicelib.environments.routes import blueprint as environments
from chalicelib.health.routes import blueprint as health
from chalicelib.identity.authorizer import blueprint as identity
from chalicelib.me.routes import blueprint as me
from chalicelib.promotions.routes import blueprint as promotions
from chalicelib.publishers.routes import blueprint as publishers
from chalicelib.routing.routes import blueprint as routing
from chalicelib.state.routes import blueprint as state
from chalicelib.sweep.schedule import blueprint as sweep
from chalicelib.systems.routes import blueprint as systems
from chalicelib.telemetry import configure
from chalicelib.verifications.routes import blueprint as verifications
from chalicelib.workspaces.routes import blueprint as workspaces

configure()

app = Chalice(app_name="slipway")
app.api.binary_types = []

for blueprint in (
    identity,
    maintenance,
    sweep,
    health,
    api_description,
    me,
    systems,
    environments,
    publishers,
    workspaces,
    routing,
    deployments,
    verifications,
    promotions,
    artifacts,
    state,
    audit,
):
    app.register_blueprint(blueprint)
