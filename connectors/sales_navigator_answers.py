"""What LinkedIn's answers mean: those of the API of export jobs, and those of the host that their files lie at. UNVERIFIED, as the jobs are."""

from __future__ import annotations

import httpx

from .verdict import Denied, Fail, Reauth, Verdict, judge_http

SCOPE = "r_sales_nav_analytics"
DUE = "The window stays due: the next run makes a new job."


def judge(response: httpx.Response) -> Verdict:
    """LinkedIn's refusals: {"serviceErrorCode", "message", "status"}."""
    if response.status_code == 401:
        return Reauth("The access token has ended (after about 60 days) or was revoked: authorise the app again.")
    if response.status_code == 403:
        return Denied(
            f"The app needs {SCOPE} (for partners only; LinkedIn takes no new ones), and the member who authorised it a reporting or "
            "administrator role on the contract. Without it, use the folder of exports.",
            SCOPE,
        )
    return judge_http(response)


def judge_download(response: httpx.Response) -> Verdict:
    """The file's host asks for no credential: a refusal means that the address no longer holds."""
    if response.status_code in (401, 403, 404, 410):
        return Fail(f"The address of the file no longer holds. {DUE}")
    return judge_http(response)
