"""A stand-in for the functions of an environment. moto runs no functions, so `invoke` runs handlers in this process."""

import io
import json
import zipfile

from botocore.exceptions import ClientError

from chalicelib.database.maintenance import migrate
from tools.aws.deploy import ALIAS

FUNCTIONS = {role: f"service-development-{role}" for role in ("api", "authorizer", "bootstrap", "migrate")}


class Account:
    """A Lambda client that runs handlers in this process.

    `invoked` lists the role and the version of each call, and the API's live version at the time of the call.
    """

    def __init__(self, client):
        self._client = client
        self.handlers = {"bootstrap": lambda event, context: {}, "migrate": migrate}
        self.invoked = []
        self.fails_to_move = set()
        self.moves_once = None
        # The roles of functions whose versions AWS does not run yet.
        self.pending = set()

    def __getattr__(self, name):
        return getattr(self._client, name)

    def invoke(self, **call):
        role = _role(call)
        self.invoked.append((role, call["Qualifier"], self.served()["api"]))
        if role in self.pending:
            raise ClientError({"Error": {"Code": "ResourceConflictException"}}, "Invoke")
        try:
            return {"Payload": io.BytesIO(json.dumps(self.handlers[role](json.loads(call["Payload"]), None)).encode())}
        except Exception as error:
            said = json.dumps({"errorType": type(error).__name__, "errorMessage": str(error)})
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(said.encode())}

    def get_function_configuration(self, **call):
        pending = {"State": "Pending"} if _role(call) in self.pending else {}
        return {**self._client.get_function_configuration(**call), **pending}

    def get_waiter(self, name):
        assert name == "published_version_active"
        return Waiter(lambda call: self.pending.remove(_role(call)))

    def update_alias(self, **call):
        assert _role(call) not in self.pending
        if call["FunctionName"] in self.fails_to_move:
            raise ClientError({"Error": {"Code": "TooManyRequestsException"}}, "UpdateAlias")
        if call["FunctionName"] == self.moves_once:
            self.fails_to_move.add(self.moves_once)
        return self._client.update_alias(**call)

    def publish(self, code, *roles):
        """Publish a new version of the functions of these roles, or of all functions, as an apply does."""
        for role in roles or FUNCTIONS:
            self._client.update_function_code(FunctionName=FUNCTIONS[role], ZipFile=package(code), Publish=True)

    def versions(self, role):
        found = self._client.list_versions_by_function(FunctionName=FUNCTIONS[role])["Versions"]
        return [version["Version"] for version in found if version["Version"] != "$LATEST"]

    def served(self):
        aliases = {role: self._client.get_alias(FunctionName=name, Name=ALIAS) for role, name in FUNCTIONS.items()}
        return {role: alias["FunctionVersion"] for role, alias in aliases.items()}


class Waiter:
    def __init__(self, end):
        self._end = end

    def wait(self, **call):
        self._end(call)


def _role(call):
    return call["FunctionName"].rsplit("-", 1)[1]


def package(code):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("app.py", code)
    return file.getvalue()


def outputs(**changes):
    """Return Terraform's outputs for an environment."""
    value = {"name": "service-development", "api": {"function_names": FUNCTIONS}, "owns_database": True, **changes}
    return {"main": {"sensitive": False, "type": "object", "value": value}}


def every(version):
    return dict.fromkeys(FUNCTIONS, version)
