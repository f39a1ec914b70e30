"""What Graph's answers about mailboxes mean: a mailbox's limit, what is not granted, and whom there is no mailbox of."""

from __future__ import annotations

import httpx

from .graph import error_code
from .server_clock import retry_after
from .verdict import Denied, Retry, Verdict, judge_http


def judge(response: httpx.Response) -> Verdict:
    """Graph's own answers about mailboxes."""
    code = error_code(response)
    if response.status_code == 429:
        return Retry("429, the mailbox's limit", after=retry_after(response), everyone=True, budget="mailbox")
    if response.status_code == 403:
        return Denied(
            "Grant the app Mail.ReadBasic.All (application permission, admin consent) and let RBAC for Applications include the "
            f"mailbox ({code}). If only headers are refused, grant Mail.Read, or set microsoft365.headers = false.",
            "Mail.ReadBasic.All",
        )
    if response.status_code == 404 and code in (
        "MailboxNotEnabledForRESTAPI", "ErrorInvalidUser", "Request_ResourceNotFound", "ResourceNotFound",
    ):  # fmt: skip
        return Denied(
            f"There is no mailbox of this address ({code}): correct reps.csv, or say mailbox = no there.", "mailbox"
        )
    return judge_http(response)
