"""HTTP to a running relay, with a sentence for everything that can go wrong."""

import json
import ssl
from collections.abc import Mapping
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import HTTPSHandler, ProxyHandler, Request, build_opener

from relay.errors import RelayError

TIMEOUT_SECONDS = 30.0
NOT_RELAY = "what listens there does not speak like relay"


class CannotDo(RelayError):
    """A command cannot do its work."""


class Refused(CannotDo):
    """relay answered, with an error. `answer` is the body, `status` the HTTP status."""

    def __init__(self, status: int, answer: dict[str, Any], message: str) -> None:
        super().__init__(message)
        self.status = status
        self.answer = answer


class Client:
    """Asks one listener. No proxy of the environment is used."""

    def __init__(self, url: str, headers: Mapping[str, str], tls: ssl.SSLContext | None = None) -> None:
        self.url = url
        self._headers = dict(headers)
        self._opener = build_opener(ProxyHandler({}), HTTPSHandler(context=tls))

    def get(self, path: str, **query: object) -> Any:
        """What relay answers, decoded. Parameters that are None are left out."""
        return self._decoded(self.open("GET", path, query))

    def post(self, path: str, body: object = None) -> Any:
        return self._decoded(self.open("POST", path, body=body))

    def delete(self, path: str) -> Any:
        return self._decoded(self.open("DELETE", path))

    def open(
        self,
        method: str,
        path: str,
        query: Mapping[str, object] | None = None,
        *,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> HTTPResponse:
        """The answer, unread. Raises CannotDo."""
        given = {name: value for name, value in (query or {}).items() if value is not None}
        url = self.url + path + ("?" + urlencode(given, doseq=True) if given else "")
        data = None if method == "GET" else json.dumps({} if body is None else body).encode()
        request = Request(url, data, self._headers | dict(headers or {}), method=method)  # noqa: S310  ours
        if data is not None:
            request.add_header("Content-Type", "application/json")
        try:
            response: HTTPResponse = self._opener.open(request, timeout=TIMEOUT_SECONDS)
        except HTTPError as error:
            with error:
                raise self._refused(error) from None
        except (OSError, HTTPException) as error:
            raise CannotDo(self._sentence(error)) from None
        return response

    def _decoded(self, response: HTTPResponse) -> Any:
        with response:
            try:
                return json.loads(response.read())
            except ValueError:
                raise CannotDo(f"{self.url}: {NOT_RELAY}") from None
            except (OSError, HTTPException) as error:
                raise CannotDo(self._sentence(error)) from None

    def _refused(self, error: HTTPError) -> Refused:
        try:
            answer = json.loads(error.read())
            message = (answer.get("error") if isinstance(answer["error"], dict) else answer)["message"]
        except (ValueError, KeyError, TypeError, AttributeError, OSError, HTTPException):
            return Refused(error.code, {}, f"{self.url} answers {error.code}: {NOT_RELAY}")
        return Refused(error.code, answer, str(message))

    def _sentence(self, error: Exception) -> str:
        reason = error.reason if isinstance(error, URLError) else error
        if isinstance(reason, ssl.SSLCertVerificationError):
            return f"{self.url} does not show the certificate of `tls_cert`: {reason.verify_message}"
        if isinstance(reason, TimeoutError):
            return f"{self.url} did not answer within {TIMEOUT_SECONDS:.0f} s"
        if isinstance(reason, HTTPException | ssl.SSLError | ConnectionResetError):
            return f"{self.url}: {NOT_RELAY}"
        if isinstance(reason, ConnectionRefusedError):
            return f"no relay answers on {self.url}: is `relay serve` running?"
        return f"no relay answers on {self.url}: {getattr(reason, 'strerror', None) or reason}"
