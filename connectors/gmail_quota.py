"""Gmail's quota in units: what calls for a mailbox take of its own minute, and of its project's minute and day."""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from .gmail_answers import judge
from .gmail_settings import GmailSettings
from .limits import Budget, Day, Limiter
from .verdict import Retry

MINUTE = 60.0


def project_budgets(settings: GmailSettings) -> Mapping[str, Budget | Day]:
    """What all mailboxes of a Google Cloud project share."""
    return {
        "project": Budget(settings.units_per_minute_project, MINUTE, settings.reserve),
        "day": Day(settings.units_per_day_project, "America/Los_Angeles", settings.reserve, counts="project"),
    }


def budget_of(mailbox: str) -> str:
    """The name of a mailbox's budget."""
    return f"user:{mailbox}"


def add_budget(limiter: Limiter, mailbox: str, settings: GmailSettings) -> None:
    """Let a mailbox have its own budget; one that is there already stays as it is."""
    limiter.add(budget_of(mailbox), Budget(settings.units_per_minute_user, MINUTE, settings.reserve))


class MailboxQuota:
    """The quota of one mailbox and its project."""

    def __init__(self, limiter: Limiter, mailbox: str) -> None:
        self._limiter = limiter
        self._budget = budget_of(mailbox)

    def cost(self, units: int) -> Mapping[str, int]:
        """What a call of so many units takes."""
        return {"project": units, self._budget: units}

    def room(self, units: int, most: int) -> int:
        """How many calls of so many units the mailbox and the project have room for just now, `most` at most."""
        return self._limiter.room(self.cost(units), most)

    def refused(self, status: int, body: bytes, attempt: int) -> None:
        """A call within a batch was not answered: if for the quota, rest before the next."""
        verdict = judge(httpx.Response(status, content=body), "")
        if isinstance(verdict, Retry) and verdict.everyone:
            self._limiter.refused(self.cost(1), 0.5 * 2**attempt, verdict.budget)
