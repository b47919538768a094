"""The roles that apply environments and workspaces. infra/account/applying-*.tf has their permissions.

The rows are in the files applying_*.py, one for each part of the service. All roles have the same rows. If a role must
not do something, its row has no Yes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from tools.checks.walls.places import (
    DEVELOPMENT,
    PREPRODUCTION,
    PRODUCTION,
    Place,
    Places,
    Target,
    abroad,
    debug,
    elsewhere,
    foreign,
    new,
    preview,
)
from tools.checks.walls.principals import OfAccount, boundary
from tools.checks.walls.table import Context, Wall

# The kinds of roles: the pipeline of an environment, two kinds of workspaces, and for each of them a reaper that only
# destroys.
MAKERS = ("apply", "workspaces", "debug")
ALL = (*MAKERS, "reap", "reap-debug")
APPLY = ("apply",)
# A debug workspace has neither a site nor people who sign in.
WITH_SITE = ("apply", "workspaces")
# Previews and personal workspaces have no firewall.
WITH_FIREWALL = ("apply", "debug")
REAP = ("reap",)
REAP_DEBUG = ("reap-debug",)

_BOUNDARIES = {"": "", "w": "-workspaces", "d": "-debug"}


@dataclass(frozen=True)
class Applier:
    """One of these roles, such as `debug-development`."""

    kind: str
    environment: Target

    @property
    def who(self) -> OfAccount:
        return OfAccount(f"{self.kind}-{self.environment.environment}")

    @property
    def own(self) -> tuple[Target, ...]:
        """The targets that the role reaches."""
        if self.kind == "apply":
            return (self.environment,)
        return (debug(self.environment) if self.is_of_debug else preview(self.environment),)

    @property
    def is_of_debug(self) -> bool:
        """True if the role reaches debug workspaces."""
        return self.kind in ("debug", "reap-debug")

    @property
    def neighbour(self) -> Target:
        """Another environment in the same account. Production's account has none yet."""
        others = {"development": PREPRODUCTION, "preproduction": DEVELOPMENT}
        account_id = self.environment.account_id
        return others.get(self.environment.environment, replace(PREPRODUCTION, account=account_id))

    @property
    def others(self) -> tuple[Target, ...]:
        """Targets that differ from the role's own ones in one thing each."""
        kinds = (self.environment, preview(self.environment), debug(self.environment))
        return (
            *(each for each in kinds if each not in self.own),
            *(replace(self.neighbour, workspace=each.workspace) for each in self.own),
            *map(foreign, self.own),
            *map(elsewhere, self.own),
            *map(abroad, self.own),
        )

    @property
    def other_names(self) -> tuple[Target, ...]:
        """The same for places that only names tell apart."""
        own = self.environment
        if self.kind == "apply":
            # The names of workspaces begin like the environment's.
            return tuple(each for each in self.others if each not in (preview(own), debug(own)))
        # A longer name of the environment's own is no workspace's either.
        return (*self.others, replace(own, workspace="part"))

    @property
    def strangers(self) -> tuple[Target, ...]:
        """Targets of the same region and account that the role does not reach."""
        apart = (*map(elsewhere, self.own), *map(abroad, self.own))
        return tuple(each for each in self.others if each not in apart)

    def boundary(self, of: Target) -> str:
        """Return the ARN of the boundary that the roles of a target must have."""
        return boundary(self.environment, f"{of.environment}{_boundary(of)}")

    def by_name(
        self,
        does: str,
        actions: Sequence[str],
        place: Places,
        may: Sequence[str] = ALL,
        when: Context | None = None,
        not_when: Sequence[Context] = (),
        *,
        of: Sequence[Target] | None = None,
        in_all_regions: bool = False,
    ) -> Wall:
        """Return a row about places whose names tell whose they are. `may` has the kinds of roles that get a Yes."""
        others = [each for each in self.other_names if not in_all_regions or each not in map(elsewhere, self.own)]
        return self._row(does, actions, place, may, when, not_when, self.own if of is None else of, others)

    def by_tag(
        self,
        does: str,
        actions: Sequence[str],
        place: Places,
        may: Sequence[str] = ALL,
        when: Context | None = None,
        not_when: Sequence[Context] = (),
        *,
        of: Sequence[Target] | None = None,
        never: Sequence[Place] = (),
    ) -> Wall:
        """Return a row about places whose tags tell whose they are. Without tags, a place is nobody's."""
        untagged = tuple(replace(place(each), facts={}) for each in self.own)
        own = self.own if of is None else of
        return self._row(does, actions, place, may, when, not_when, own, self.others, (*untagged, *never))

    def exactly(
        self,
        does: str,
        actions: Sequence[str],
        place: Places,
        may: Sequence[str] = ALL,
        when: Context | None = None,
        *,
        of: Sequence[Target] | None = None,
    ) -> Wall:
        """Return a row about places whose whole names are known, even among workspaces of the same environment."""
        return self._row(does, actions, place, may, when, (), self.own if of is None else of, self.others)

    def unlimited(
        self,
        does: str,
        actions: Sequence[str],
        place: Places,
        may: Sequence[str] = ALL,
        when: Context | None = None,
        not_when: Sequence[Context] = (),
        not_of: Sequence[Target] = (),
    ) -> Wall:
        """Return a row about places that AWS can't tell apart. Only roles without the permission get a No."""
        row = self._row(does, actions, place, may, when, not_when, self.own, not_of)
        production = self.environment == PRODUCTION
        return replace(row, not_by=(OfAccount("plan", production=production),) if row.on else ())

    def tagging(
        self, what: str, actions: Sequence[str], place: Places, may: Sequence[str] = MAKERS
    ) -> tuple[Wall, ...]:
        """Return rows about the tags of places that may exist without tags."""
        return (
            self.by_tag(f"tags a {what} without tags as its own", actions, new(place), may),
            *self.tagging_again(what, actions, place, may),
        )

    def tagging_again(
        self, what: str, actions: Sequence[str], place: Places, may: Sequence[str] = MAKERS
    ) -> tuple[Wall, ...]:
        """Return rows about the tags of places that have tags."""
        owner: Context = {"aws:RequestTag/owner": "ann", "aws:RequestTag/Name": "ann"}
        strange = [(key, each.tags[key]) for each in self.strangers for key in each.tags]
        own = [(key, each.tags[key]) for each in self.own for key in each.tags]
        wrong = [
            {**owner, f"aws:RequestTag/{key}": value}
            for key, value in dict.fromkeys(strange)
            if (key, value) not in own
        ]
        others = self._apart(place, self.others, tuple(map(place, self.own)))
        as_own: Context = {f"aws:RequestTag/{key}": value for key, value in self.own[0].tags.items()}
        return (
            self.by_tag(f"tags its own {what} with an owner and a name", actions, place, may, owner, wrong),
            Wall(self.who, f"tags another's {what} as its own", tuple(actions), not_on=others, when=as_own),
        )

    def _row(
        self,
        does: str,
        actions: Sequence[str],
        place: Places,
        may: Sequence[str],
        when: Context | None,
        not_when: Sequence[Context],
        of: Sequence[Target],
        not_of: Sequence[Target],
        never: Sequence[Place] = (),
    ) -> Wall:
        own = tuple(map(place, of))
        refused = (*self._apart(place, (*self.own, *not_of), own), *never)
        if self.kind in may and own:
            return Wall(self.who, does, tuple(actions), own, refused, when or {}, tuple(not_when))
        whole = self._apart(place, (self.environment,), own)
        return Wall(self.who, does, tuple(actions), not_on=(*own, *whole, *never), when=when or {})

    def _apart(self, place: Places, targets: Sequence[Target], own: Sequence[Place]) -> tuple[Place, ...]:
        """Return the places of targets, without those that the requests for `own` can't be told from.

        Suppose that other accounts let the role in, so that the role's own policies decide.
        """
        known = [(each.resource, each.facts) for each in own]
        places = (replace(place(each), account=self.environment.account_id) for each in targets)
        return tuple(each for each in places if (each.resource, each.facts) not in known)


APPLIERS = tuple(Applier(kind, each) for each in (DEVELOPMENT, PREPRODUCTION, PRODUCTION) for kind in ALL)

Rows = Callable[[Applier], Sequence[Wall]]


def _boundary(of: Target) -> str:
    return _BOUNDARIES["" if of.workspace == "default" else of.workspace.partition("-")[0]]
