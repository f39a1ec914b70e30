"""What Dialpad's answers mean. Docs: developers.dialpad.com/docs/http-status-code and /docs/rate-limits.

401 is a missing, wrong or expired credential, 403 one that may not do this. A 429 has no documented headers: Retry-After is kept to where
it is there. Beside the company's 20 requests a second the lists have limits of 1,200 a minute, which is the same.
"""

from __future__ import annotations

import httpx

from .verdict import Denied, Reauth, Verdict, judge_http

CALLS_SCOPE = "calls:list"


def judge(response: httpx.Response) -> Verdict:
    """Dialpad's own answers; the rest by HTTP alone."""
    if response.status_code == 401:
        return Reauth(
            "Dialpad does not accept the credential: an API key ends when its expiration says, or when it is deleted. Make a new one in "
            "Admin Settings, My Company, Authentication, API Keys; an OAuth app is to be consented to again."
        )
    if response.status_code == 403:
        scope = CALLS_SCOPE if response.request.url.path.endswith("/call") else ""
        return Denied(
            f"The credential must be a company admin's{f', with the additional scope {scope}' if scope else ''}.", scope
        )
    return judge_http(response)
