"""HTTP for all vendors: limits, one layer of retries, bounded bodies, errors that say what to do. Reads only.

A vendor's module says what its answers mean (`judge`, in the words of verdict.py); what to do about it stands here. Every call
is taken to be safe to repeat: connectors only read, also where a vendor reads by POST.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import httpx
import stamina

from .auth import TokenAuth, TokenUnavailable, redirected
from .body import BodyTooLarge
from .call import Call, names, not_json
from .limits import Limiter, LimitSpent, Told
from .network import Network
from .retries import Again, Backoff, wait_of
from .stream import ConnectorError, PermissionMissing, RateLimited, Traffic
from .verdict import Denied, Fail, Gone, Judge, Ok, Reauth, Retry
from .wire import Wire, host_of

Tells = Callable[[httpx.Response], Iterable[Told]]
USUAL = Network()


class NotFound(ConnectorError):
    """The vendor has nothing there (404, an expired cursor)."""


class Client:
    """One vendor account over HTTP. Thread-safe. TLS is verified; redirects are refused.

    network: attempts, waits and bounds. first_wait: before the second attempt, where the network's settings name none.
    tells: what the headers of any answer say of the vendor's limits.
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
    ) -> None:
        self._source = source
        self._auth = auth
        self._limiter = limiter
        self._judge = judge
        self._tells = tells
        self._attempts = network.attempts
        own = network.first_wait_seconds
        self._backoff = Backoff(first_wait if own is None else own, longest=network.longest_wait_seconds)
        self._wire = Wire(base_url, network)

    @property
    def ahead(self) -> float:
        """Seconds that this machine's clock was ahead of the vendor's at the last answer; negative where it was behind."""
        return self._wire.ahead

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
        request = self._wire.request(
            method, path, params=params, json=json, data=data, content=content, headers=headers
        )
        call = Call(
            request=request,
            what=f"{self._source}: {method} {request.url.path}{names(request.url.params)}",
            cost={"requests": 1} if cost is None else cost,
            traffic=traffic,
            auth=auth or self._auth,
            wrong=wrong or not_json,
            heard=heard,
            moved=moved,
        )
        try:
            for attempt in stamina.retry_context(
                on=wait_of, attempts=self._attempts, timeout=None, wait_max=self._backoff.longest
            ):
                with attempt:
                    return self._attempt(call, attempt.num)
        except Again as error:
            kind = RateLimited if error.limited else ConnectorError
            raise kind(
                f"{call.what}: {error}, {self._attempts} times. The window stays due and is read by the next run; "
                "if this goes on, look at the vendor's status page and at the network."
            ) from error
        raise AssertionError("unreachable")

    def close(self) -> None:
        """Close all connections."""
        self._wire.close()

    def _attempt(self, call: Call, number: int) -> bytes:
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
                reason += f" (host {host_of(error)})"
            if "CERTIFICATE_VERIFY_FAILED" in reason:
                raise ConnectorError(
                    f"{call.what}: {reason}. Nothing was sent. If a proxy of your own stands in between, SSL_CERT_FILE in the environment "
                    "must name a file of certificates that holds its authority too; if not, somebody else answers there."
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

    def _send(self, call: Call) -> httpx.Response:
        call.written = None

        def written() -> None:
            call.written = self._limiter.clock()

        return self._wire.send(call.request, call.auth, written)

    def _decide(self, call: Call, number: int, response: httpx.Response) -> bytes:
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
                if call.heard:
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

    def _again(self, call: Call, number: int, verdict: Retry) -> Exception:
        """What to raise so that the call is tried again after the right time."""
        wait = self._backoff.wait(number, verdict.after)
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
        return Again(verdict.reason, wait, limited=verdict.everyone)
