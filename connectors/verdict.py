"""What an answer means, in the few words that Client acts upon; and what it means by HTTP alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import httpx

from .server_clock import retry_after


@dataclass(frozen=True, slots=True)
class Ok:
    """The body is the answer."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Ask again. after: seconds the server named, or None. everyone: a limit refused, so it concerns all who share it.

    budget: which of the limiter's budgets that was; all that the call costs, where it is not known.
    """

    reason: str
    after: float | None = None
    everyone: bool = False
    budget: str = ""


@dataclass(frozen=True, slots=True)
class Fail:
    """Asking again does not help. message: what to do. spent: the limit of a day is used up."""

    message: str
    spent: bool = False


@dataclass(frozen=True, slots=True)
class Denied:
    """A permission is missing. message: what to do; scope: its name at the vendor."""

    message: str
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Gone:
    """There is nothing there."""

    message: str = ""


@dataclass(frozen=True, slots=True)
class Reauth:
    """The token is not accepted: a new one may be. message: what to do when it is not either."""

    message: str = "The credential is not accepted. Check it in the settings: it may have been revoked or mistyped."


Verdict = Ok | Retry | Fail | Denied | Gone | Reauth
Judge = Callable[[httpx.Response], Verdict]


def judge_http(response: httpx.Response) -> Verdict:
    """What an answer means by HTTP alone. Vendors' judges handle their own cases and leave the rest to this."""
    status = response.status_code
    if 200 <= status < 300:
        return Ok()
    if status == 401:
        return Reauth()
    if status == 403:
        return Denied("The credential lacks a permission. Grant it at the vendor, then run `salespulse check`.")
    if status in (404, 410):
        return Gone()
    if status in (408, 423, 425, 429, 477) or (status >= 500 and status != 501):
        return Retry(f"status {status}", after=retry_after(response), everyone=status == 429)
    return Fail("The vendor refuses the request as such; a newer salespulse may know why.")
