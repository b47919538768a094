"""`make demo`: fill a running service with 40 systems and a believable, made-up history.

A second run adds nothing, because it skips systems that exist. The same seed makes the same systems each time. Their
times count back from now. `URL` is the service's address, and `TOKEN` an admin's token, as for `make replay`.
"""

import hashlib
import random
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from tools.checkout import ToolError
from tools.local.issuer import token
from tools.local.registry.replay import Client, Send, expect, progress_bar

SEED = 20260701
NAMES = [
    "accounts",
    "address-book",
    "agenda",
    "audit-log",
    "billing",
    "booking-engine",
    "catalog",
    "checkout",
    "consent",
    "customer-portal",
    "delivery-slots",
    "document-store",
    "email-sender",
    "exchange-rates",
    "feature-flags",
    "fraud-check",
    "gift-cards",
    "identity-hub",
    "image-resizer",
    "inventory",
    "invoices",
    "loyalty",
    "map-tiles",
    "message-broker",
    "notifications",
    "order-history",
    "partner-api",
    "payments",
    "price-engine",
    "product-feed",
    "recommendations",
    "refunds",
    "reporting",
    "returns",
    "search",
    "shipping",
    "showroom",
    "stock-sync",
    "tax-rules",
    "wishlist",
]
PEOPLE = ("ann", "bela", "chidi", "dora", "emil", "fatima")
VERBS = ("Add", "Fix", "Speed up", "Simplify", "Remove", "Log", "Validate", "Cache", "Retry", "Rename")
THINGS = (
    "the retry of failed calls",
    "time zones in exports",
    "rounding of small amounts",
    "the list of recent orders",
    "an index for the slow query",
    "empty results of the search",
    "the timeout of the partner's API",
    "the old endpoint",
    "umlauts in addresses",
    "the nightly clean-up",
)
# The states in which production, or the environment before it, ends. The rest of the systems are healthy.
STORIES = (
    "failed",
    "stuck",
    "unverified",
    "broken",
    "frozen",
    "weekends",
    "pinned",
    "bad",
    "approved",
    "hotfix",
    "back",
)
SUITE = "acceptance"
_NO_ANSWER = "The health check did not answer in time"


def main(environ: Mapping[str, str]) -> None:
    """Fill the service at URL, or raise ToolError."""
    url = environ["URL"]
    send = Client(url, environ.get("TOKEN") or token("admin")).send
    maintainer = Client(url, token("maintainer", NAMES, "ann@local")).send if not environ.get("TOKEN") else send
    started = time.monotonic()
    made = fill(send, maintainer, progress=progress_bar)
    print(
        f"{made} systems recorded in {time.monotonic() - started:.0f} s, {len(NAMES) - made} were recorded before: "
        f"open {url.rstrip('/')}/"
    )


def fill(send: Send, approve: Send, names: Sequence[str] = NAMES, progress: Callable[[list[Any]], Any] = iter) -> int:
    """Record the systems that do not exist yet, and return their number. Raise ToolError after a refusal.

    A system is complete when its description is set. If a system exists and is not complete, record nothing.
    """
    now = datetime.now(UTC).replace(microsecond=0)
    missing = []
    for number, name in enumerate(names):
        status, system = send("GET", f"/v1/systems/{name}", None)
        if status != 200:
            missing.append((number, name))
        elif not system["description"]:
            raise ToolError(
                f"The system {name} exists without a description: an earlier run stopped within it, or somebody else "
                "made it. Run `make reset`, which deletes all local data, then start again"
            )
    for number, name in progress(missing):
        story = STORIES[number // 2 % len(STORIES)] if number % 2 else "healthy"
        _System(send, approve, name, number, now).record(story)
    return len(missing)


class _System:
    def __init__(self, send: Send, approve: Send, name: str, number: int, now: datetime) -> None:
        self._send, self._approve, self._name, self._number, self._now = send, approve, name, number, now
        self._random = random.Random(f"{SEED} {name}")  # noqa: S311 (made-up history, no secrets)
        self._path = f"/v1/systems/{name}"
        self._versions = [self._version(index) for index in range(7)]
        self._environments = ["development", "preproduction", "production"]
        if number % 4 == 0:
            self._environments.insert(1, "integration")

    def record(self, story: str) -> None:
        title = " ".join(self._name.split("-")).capitalize()
        repository = f"https://github.com/example-org/{self._name}"
        self._post("/v1/systems", {"key": self._name, "name": title, "repository": repository})
        for rank, name in enumerate(self._environments, 1):
            self._post(f"{self._path}/environments", self._environment(rank, name))
        for rank, name in enumerate(self._environments):
            self._bind(name)
            self._history(rank, name)
        getattr(self, f"_{story}")()
        if self._number % 3 == 0:
            self._workspaces()
        expect(self._send("PATCH", self._path, {"description": f"Made-up example: {title.lower()}"}), 200)

    def _environment(self, rank: int, name: str) -> dict[str, Any]:
        production = name == "production"
        return {
            "name": name,
            "rank": rank,
            "production": production,
            "base_url": f"https://{self._name}.{name}.example.org",
            "required_suites": [SUITE] if name in ("preproduction", "production") else [],
            "required_soak_seconds": 86400 if production and self._number % 5 == 0 else 0,
            "required_approvals": 1 if production and self._number % 7 == 0 else 0,
        }

    def _bind(self, environment: str) -> None:
        """Bind an environment to a queue and to a payment provider. Every sixth system shares a queue by mistake."""
        queue = f"{self._name}-{'shared' if self._number % 6 == 1 and environment != 'production' else environment}"
        payments = "https://pay.example.com" if environment == "production" else "https://sandbox.pay.example.com"
        bindings = [
            {
                "dependency": "orders",
                "instance": f"arn:aws:sqs:eu-central-1:111122223333:{queue}",
                "access": "read_write",
            },
            {"dependency": "payments", "instance": payments, "access": "read_only"},
        ]
        if self._number % 5 == 0:
            expect(self._send("PUT", f"{self._path}/environments/{environment}/bindings", {"bindings": bindings}), 200)
        elif self._number % 6 == 1:
            expect(
                self._send("PUT", f"{self._path}/environments/{environment}/bindings", {"bindings": bindings[:1]}), 200
            )

    def _version(self, index: int) -> dict[str, Any]:
        """Return a version: an artifact and its commits. Version 0 is the oldest."""
        written = self._now - timedelta(days=9 * (7 - index), hours=self._random.randrange(8), minutes=7 * self._number)
        commits = [
            {
                "sha": _hex(self._name, index, number),
                "authored_at": _text(written - timedelta(hours=5 * number)),
                "subject": f"{self._random.choice(VERBS)} {self._random.choice(THINGS)}",
            }
            for number in range(self._random.randint(1, 6))
        ]
        return {
            "artifact": f"tree:{_hex(self._name, index)}",
            "revision": commits[0]["sha"],
            "commits": commits,
            "at": written,
        }

    def _history(self, rank: int, environment: str) -> None:
        """Import deployments and verifications. An environment is behind the one before it by up to two versions."""
        behind = rank and self._random.randint(0, 1) + (rank > 1)
        for index, version in enumerate(self._versions[: len(self._versions) - 1 - behind]):
            at = version["at"] + timedelta(days=rank, minutes=20)
            failed = self._random.random() < 0.08 and index > 0
            state = {"state": "failed", "detail": _NO_ANSWER} if failed else {}
            self._import(environment, version, at, **state)
            if failed:
                self._import(environment, version, at + timedelta(hours=2))
            self._import_verification(environment, version, at + timedelta(hours=3))

    def _import(self, environment: str, version: dict[str, Any], at: datetime, **more: Any) -> None:
        body = {
            "environment": environment,
            "imported": True,
            "state": "succeeded",
            "started_at": _text(at),
            "finished_at": _text(at + timedelta(minutes=4)),
            "run_url": self._run(environment, version),
            **{key: version[key] for key in ("artifact", "revision", "commits")},
            **more,
        }
        self._post(f"{self._path}/deployments", body)

    def _import_failure(self, version: dict[str, Any], at: datetime) -> None:
        """Import a deployment to production whose tests failed."""
        self._import("production", version, at)
        self._import_verification("production", version, at + timedelta(minutes=10), outcome="failure", failed=3)

    def _import_verification(self, environment: str, version: dict[str, Any], at: datetime, **more: Any) -> None:
        body = {
            "environment": environment,
            "artifact": version["artifact"],
            "imported": True,
            "suite": SUITE,
            "trigger": "deployment",
            "outcome": "success",
            "started_at": _text(at),
            "finished_at": _text(at + timedelta(minutes=9)),
            "passed": self._random.randint(80, 240),
            "failed": 0,
            **more,
        }
        self._post(f"{self._path}/verifications", body)

    # Each method below records one story.

    def _healthy(self) -> None:
        if self._number % 4 == 2:  # the newest version has just reached the first environment
            self._deploy("development", self._versions[-1])
        if self._number % 10 == 0:  # production waits for its soak
            self._deploy("preproduction", self._next())

    def _failed(self) -> None:
        self._import("production", self._next(), self._ago(), state="failed", detail=_NO_ANSWER)

    def _stuck(self) -> None:
        # It is stuck after half of its lease, and its lease expires after the other half.
        body = self._opening("production", self._next(), lease_seconds=60 if self._number < 20 else 3600)
        self._post(f"{self._path}/deployments", body)

    def _unverified(self) -> None:
        self._import("production", self._next(), self._ago())

    def _broken(self) -> None:
        self._import_failure(self._next(), self._ago())

    def _frozen(self) -> None:
        ends = self._now + timedelta(days=2, hours=self._number)
        self._freeze("We look for the cause of duplicate orders", ends_at=_text(ends))

    def _weekends(self) -> None:
        days = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
        closing = {"by_day": days, "from": "00:00", "to": "23:59", "days": 1, "time_zone": "Europe/Berlin"}
        weekend = {"by_day": ["FR"], "from": "16:00", "to": "08:00", "days": 3, "time_zone": "Europe/Berlin"}
        if self._number % 4 == 1:
            self._freeze("Nobody deploys on weekends", recurrence=weekend)
        else:
            self._freeze("The books of the year are closed", recurrence=closing)

    def _pinned(self) -> None:
        self._hold(kind="pin", environment="production", reason="The auditors look at this version")

    def _bad(self) -> None:
        self._hold(kind="bad", artifact=self._versions[-2]["artifact"], reason="Loses orders with two addresses")

    def _approved(self) -> None:
        body = {"environment": "production", "artifact": self._versions[-2]["artifact"], "comment": "Read and tried"}
        expect(self._approve("POST", f"{self._path}/approvals", body), 201)

    def _hotfix(self) -> None:
        self._deploy("production", self._versions[-1], kind="hotfix")

    def _back(self) -> None:
        at = self._ago()
        self._import_failure(self._next(), at)
        self._import("production", self._versions[0], at + timedelta(minutes=40), kind="rollback")

    def _ago(self) -> datetime:
        """Return a moment of the last two days, at least two hours ago."""
        return self._now - timedelta(minutes=self._random.randint(120, 2880))

    def _next(self) -> dict[str, Any]:
        return self._versions[-2]

    def _opening(self, environment: str, version: dict[str, Any], **more: Any) -> dict[str, Any]:
        return {
            "environment": environment,
            "run_url": self._run(environment, version),
            "override_reason": "A customer waits for this fix",
            **{key: version[key] for key in ("artifact", "revision", "commits")},
            **more,
        }

    def _deploy(self, environment: str, version: dict[str, Any], **more: Any) -> None:
        """Deploy and verify now."""
        opened = self._post(f"{self._path}/deployments", self._opening(environment, version, **more))
        self._post(f"{self._path}/deployments/{opened['id']}/statuses", {"state": "succeeded"})
        body = {"suite": SUITE, "trigger": "deployment", "outcome": "success", "passed": 120, "failed": 0}
        self._post(f"{self._path}/verifications", {"deployment": opened["id"], **body})

    def _workspaces(self) -> None:
        preview = {
            "environment": "development",
            "name": f"w-pr-{self._random.randint(20, 400)}",
            "purpose": "preview",
            "owner": self._random.choice(PEOPLE),
            "reason": "Shows the new list of orders",
            "expires_at": _text(self._now + timedelta(days=self._random.randint(1, 10))),
        }
        self._post(f"{self._path}/workspaces", preview)
        debug = {
            "environment": "production",
            "name": f"d-case-{self._random.randint(10, 99)}",
            "purpose": "debug",
            "owner": self._random.choice(PEOPLE),
            "reason": "A customer sees an empty invoice",
            "database": "clone",
            "expires_at": _text(self._now + timedelta(hours=self._random.randint(3, 60))),
        }
        self._post(f"{self._path}/workspaces", debug)

    def _freeze(self, reason: str, **more: Any) -> None:
        self._hold(kind="freeze", environment="production", reason=reason, **more)

    def _hold(self, **body: Any) -> None:
        self._post(f"{self._path}/holds", body)

    def _run(self, environment: str, version: dict[str, Any]) -> str:
        run = int(version["revision"][:7], 16)
        return f"https://github.com/example-org/{self._name}/actions/runs/{run}?environment={environment}"

    def _post(self, path: str, body: Any) -> Any:
        return expect(self._send("POST", path, body), 200, 201)


def _hex(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:40]


def _text(at: datetime) -> str:
    return at.isoformat()
