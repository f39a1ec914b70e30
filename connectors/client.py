"""HTTP for all vendors: limits, one layer of retries, bounded bodies, errors that say what to do. Reads only.

A vendor's module says what its answers mean (`judge`); what to do about it stands here. Every call is taken to be safe to
repeat: connectors only read, also where a vendor reads by POST.
"""

from __future__ import annotations

import base64
import binascii
import random
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import httpx
import msgspec
import stamina

from .auth import TokenAuth, TokenUnavailable, redirected
from .body import ACCEPTED, BodyTooLarge, bounded
from .limits import Limiter, LimitSpent, Told
from .network import Network
from .redact import blotted
from .server_clock import retry_after, server_time
from .stream import ConnectorError, PermissionMissing, RateLimited, Traffic

EXCERPT = 300  # characters of a refusing body in an error
USUAL = Network()


class NotFound(ConnectorError):
    """The vendor has nothing there (404, an expired cursor)."""


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
Tells = Callable[[httpx.Response], Iterable[Told]]


@dataclass(frozen=True, slots=True)
class Backoff:
    """Seconds between attempts: anything up to first, 2 first, 4 first ... most ("full jitter").

    longest: a server that asks to wait longer than this is not waited for.
    """

    first: float = 1.0
    most: float = 60.0
    longest: float = 900.0

    def seconds(self, attempt: int) -> float:
        return random.uniform(0, min(self.most, self.first * 2 ** (attempt - 1)))  # noqa: S311  no secret


class _Again(Exception):
    """One attempt failed in a way that another may not."""

    def __init__(self, reason: str, wait: float, *, limited: bool = False) -> None:
        super().__init__(reason)
        self.wait = wait
        self.limited = limited


class Client:
    """One vendor account over HTTP. Thread-safe. TLS is verified; redirects are refused.

    network: attempts, waits and bounds. first_wait: before the second attempt, where the network's settings name none; http2:
    for many small concurrent reads. tells: what the headers of any answer say of the vendor's limits.
    """

    def __init__(
        self,
        *,
        source: str,
        base_url: str,
        auth: httpx.Auth | None,
        limiter: Limiter,
        judge: Judge,
        tells: Tells = lambda _: (),
        network: Network = USUAL,
        first_wait: float = 1.0,
        http2: bool = False,
    ) -> None:
        self._source = source
        self._auth = auth
        self._limiter = limiter
        self._judge = judge
        self._tells = tells
        self._attempts = network.attempts
        own = network.first_wait_seconds
        self._backoff = Backoff(first_wait if own is None else own, longest=network.longest_wait_seconds)
        self._ahead = 0.0
        self._http = httpx.Client(
            base_url=base_url,
            http2=http2,
            timeout=httpx.Timeout(network.timeout_seconds, connect=min(network.timeout_seconds, 15.0)),
            follow_redirects=False,
            headers={"User-Agent": "salespulse", "Accept": "application/json", "Accept-Encoding": ACCEPTED},
            # A hook, so that answers of token endpoints are bounded too; a transport of our own would lose the proxy settings.
            event_hooks={"response": [bounded(network.largest_body_mb * 2**20, network.longest_body_seconds)]},
        )

    @property
    def ahead(self) -> float:
        """Seconds that this machine's clock was ahead of the vendor's at the last answer; negative where it was behind."""
        return self._ahead

    def fetch(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        data: Mapping[str, Any] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        cost: Mapping[str, int] | None = None,
        traffic: Traffic,
        auth: httpx.Auth | None = None,
        wrong: Callable[[httpx.Response], str] | None = None,
        heard: Callable[[httpx.Response], None] | None = None,
        moved: Callable[[str], None] | None = None,
    ) -> bytes:
        """The body of the answer, whole and valid JSON; b"" when there is none (204).

        cost: units by budget of the limiter, {"requests": 1} when not given. auth: instead of the client's own. wrong: where no JSON
        is expected, why the body cannot be what was asked for, "" if it can; then it is asked for again.
        heard: is given the answer that is taken, for what its headers say (a Link to the next page).
        moved: where the vendor answers by leading to another address, is given that; then there is no body. Nothing is sent there.
        Raises NotFound, PermissionMissing, or ConnectorError when no attempt worked.
        """
        request = self._http.build_request(
            method, path, params=params, json=json, data=data, content=content, headers=headers
        )
        call = _Call(
            request=request,
            what=f"{self._source}: {method} {request.url.path}{_names(request.url.params)}",
            cost={"requests": 1} if cost is None else cost,
            traffic=traffic,
            auth=auth or self._auth,
            wrong=wrong or _not_json,
            heard=heard or _unheard,
            moved=moved,
        )
        try:
            for attempt in stamina.retry_context(
                on=_wait_of, attempts=self._attempts, timeout=None, wait_max=self._backoff.longest
            ):
                with attempt:
                    return self._attempt(call, attempt.num)
        except _Again as error:
            kind = RateLimited if error.limited else ConnectorError
            raise kind(
                f"{call.what}: {error}, {self._attempts} times. The window stays due and is read by the next run; "
                "if this goes on, look at the vendor's status page and at the network."
            ) from error
        raise AssertionError("unreachable")

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def _attempt(self, call: _Call, number: int) -> bytes:
        try:
            permit = self._limiter.acquire(call.cost)
        except LimitSpent as error:
            raise LimitSpent(f"{call.what}: not sent. {error}") from None
        call.traffic.waited_seconds += permit.waited
        call.traffic.requests += 1
        call.traffic.retries += number > 1
        told: Iterable[Told] = ()
        try:
            response = self._send(call)
            told = self._tells(response)
        except (httpx.TransportError, httpx.DecodingError, TokenUnavailable) as error:
            reason = f"{type(error).__name__} {call.clean(str(error))}".strip()
            if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
                reason += f" (host {_host(error)})"
            if "CERTIFICATE_VERIFY_FAILED" in reason:
                raise ConnectorError(
                    f"{call.what}: {reason}. Nothing was sent; a proxy may stand in between."
                ) from None
            after = error.after if isinstance(error, TokenUnavailable) else None
            raise self._again(call, number, Retry(reason, after)) from None
        except BodyTooLarge as error:
            raise ConnectorError(
                f"{call.what}: {error}. It was not read on, and the window stays due. No such answer is known of this vendor: check the base "
                "URL; if it is right, raise largest_body_mb in this source's network settings."
            ) from None
        finally:
            self._limiter.settle(permit, written=call.written, told=told)
        return self._decide(call, number, response)

    def _send(self, call: _Call) -> httpx.Response:
        """The answer with its body."""
        call.written = None

        def trace(event: str, _: object) -> None:
            if event.endswith("send_request_body.complete"):
                call.written = self._limiter.clock()

        call.request.extensions["trace"] = trace
        response = self._http.send(call.request, stream=True, auth=call.auth or httpx.USE_CLIENT_DEFAULT)
        body = BytesIO()  # gives its content without a copy
        try:
            for part in response.iter_bytes():
                body.write(part)
        finally:
            response.close()
        kept = [(k, v) for k, v in response.headers.multi_items() if k != "transfer-encoding"]
        whole = httpx.Response(response.status_code, headers=kept, content=body.getvalue(), request=response.request)
        if "Date" in whole.headers:
            self._ahead = (datetime.now(UTC) - server_time(whole)).total_seconds()
        return whole

    def _decide(self, call: _Call, number: int, response: httpx.Response) -> bytes:
        status = response.status_code
        if status in (302, 303, 307) and call.moved and "Location" in response.headers:
            call.moved(response.headers["Location"])
            return b""
        if 300 <= status < 400:
            raise redirected(call.what, response)
        match self._judge(response):
            case Ok():
                if wrong := call.wrong(response):
                    raise self._again(call, number, Retry(f"{status} but {wrong}: {call.excerpt(response)}"))
                call.heard(response)
                return response.content
            case Retry() as verdict:
                raise self._again(call, number, verdict)
            case Reauth(message):
                if not isinstance(call.auth, TokenAuth) or call.reauthorised:
                    raise PermissionMissing(f"{call.what}: {status} {call.excerpt(response)}. {message}")
                call.reauthorised = True
                call.auth.expire(response.request)
                raise self._again(call, number, Retry(f"{status}, token refused", after=0.0))
            case Denied(message, scope):
                raise PermissionMissing(f"{call.what}: {status} {call.excerpt(response)}. {message}", scope=scope)
            case Gone(message):
                raise NotFound(f"{call.what}: {status} {call.excerpt(response)}. {message}".rstrip())
            case Fail(message, spent):
                kind = RateLimited if spent else ConnectorError
                raise kind(f"{call.what}: {status} {call.excerpt(response)}. {message}")

    def _again(self, call: _Call, number: int, verdict: Retry) -> Exception:
        """What to raise so that the call is tried again after the right time."""
        own = self._backoff.seconds(number)
        told = 0.0 if verdict.after is None else verdict.after
        # What the server names is the least; but where that was not enough once, we wait our own time too.
        wait = max(told, own if verdict.after is None or number > 1 else 0.0)
        if wait > self._backoff.longest:
            kind = RateLimited if verdict.everyone else ConnectorError
            return kind(
                f"{call.what}: {verdict.reason}; the vendor asks to wait {wait:.0f} s. The window stays due: run again "
                "then, or find out which other integration uses up this account's limit."
            )
        if verdict.everyone:
            self._limiter.refused(call.cost, wait, verdict.budget)
        if number < self._attempts:
            call.traffic.waited_seconds += wait
        return _Again(verdict.reason, wait, limited=verdict.everyone)


@dataclass(slots=True)
class _Call:
    """One call of fetch, over all its attempts."""

    request: httpx.Request
    what: str
    cost: Mapping[str, int]
    traffic: Traffic
    auth: httpx.Auth | None
    wrong: Callable[[httpx.Response], str]
    heard: Callable[[httpx.Response], None]
    moved: Callable[[str], None] | None = None
    reauthorised: bool = False
    written: float | None = None  # when the last attempt was handed to the network

    def clean(self, text: str) -> str:
        """The text in one short line, without the credential, should the vendor have echoed it."""
        return self._line(text, is_cut=False)

    def excerpt(self, response: httpx.Response) -> str:
        most = 8 * EXCERPT
        told = response.content[:most].decode("utf-8", "replace")
        return self._line(told, is_cut=len(response.content) > most) or "(empty body)"

    def _line(self, text: str, *, is_cut: bool) -> str:
        secrets = _secrets(self.request.headers.get("Authorization", ""))
        line = " ".join(blotted(text, secrets, is_cut=is_cut).split())
        return line if len(line) <= EXCERPT else line[:EXCERPT] + "…"


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


def _host(error: httpx.TransportError) -> str:
    """Whom an attempt could not reach: the vendor, or its token endpoint."""
    try:
        return error.request.url.host
    except RuntimeError:  # not known to httpx
        return "unknown"


def _names(params: httpx.QueryParams) -> str:
    """Names of the parameters, for errors: the values may be anybody's data."""
    return f" ({', '.join(params.keys())})" if params else ""


def _secrets(authorization: str) -> list[str]:
    """What of an Authorization header must not be shown: the token, or Basic's text and what it holds."""
    scheme, _, told = authorization.partition(" ")
    found = [told]
    if scheme.lower() == "basic":
        with suppress(binascii.Error):
            found += base64.b64decode(told, validate=True).decode("utf-8", "replace").split(":", 1)
    return found


def _unheard(_: httpx.Response) -> None:
    """Nobody asks for the headers."""


def _wait_of(error: Exception) -> bool | float:
    return error.wait if isinstance(error, _Again) else False


def _not_json(response: httpx.Response) -> str:
    """Why the body is no JSON, "" if it is. Only scanned: no objects are built."""
    body = response.content
    if response.status_code == 204 and not body:
        return ""
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
        if not body.isascii():
            body.decode("utf-8")
    except msgspec.DecodeError:
        return f"no JSON ({response.headers.get('Content-Type', 'no content type')}, {len(body):,} bytes)"
    except UnicodeDecodeError:
        return "no UTF-8"
    except RecursionError:
        return f"JSON that is nested too deeply to be read ({len(body):,} bytes)"
    return ""
