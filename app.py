"""The Chalice application: which blueprints it is made of. Nothing else happens here."""

from chalice.app import Chalice

from chalicelib.health.routes import blueprint as health
from chalicelib.identity.authorizer import blueprint as identity
from chalicelib.openapi.routes import blueprint as openapi
from chalicelib.telemetry import configure

configure()

app = Chalice(app_name="slipway")
app.api.binary_types = []

for blueprint in (identity, health, openapi):
    app.register_blueprint(blueprint)
