"""Who is signed in to the console: a cookie that was made from one of the tokens, and says so by its signature.

    ROLE.SIGNED_IN_AT.NONCE.SIGNATURE

Nothing is kept but what was signed out of, so sessions outlast a restart. The key is made of the token of the role: a new
token ends the sessions that were begun with the old one. A form carries a second signature of the nonce; a page of another origin can neither read nor guess it.
"""

import binascii
import hmac
import secrets
import time
from base64 import b64decode
from collections.abc import Callable
from hashlib import sha256
from typing import Literal

import msgspec

Role = Literal["admin", "reader"]

SECONDS = 12 * 3600  # a working day
RENEWED_AFTER = 3600  # whoever is at work is not signed out
_PARTS = 4


class Session(msgspec.Struct, frozen=True):
    """A person at a browser. `began_at`: seconds since 1970."""

    role: Role
    began_at: int
    nonce: str

    @property
    def can_change(self) -> bool:
        return self.role == "admin"


class Sessions:
    """Makes and checks them. `admin_token` and `read_token` are asked for every time: a reload may change them."""

    def __init__(
        self,
        admin_token: Callable[[], str],
        read_token: Callable[[], str | None],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._admin_token = admin_token
        self._read_token = read_token
        self._now = now
        self._ended: dict[str, int] = {}  # nonces, and when they were signed out

    def sign_in(self, token: str) -> Session | None:
        """A new session for who has a token."""
        for role, known in (("admin", self._admin_token()), ("reader", self._read_token())):
            if known and hmac.compare_digest(token.encode("utf-8", "surrogatepass"), known.encode()):
                return Session(role, int(self._now()), secrets.token_urlsafe(16))  # type: ignore[arg-type]
        return None

    def sign_out(self, session: Session) -> None:
        oldest = self._now() - SECONDS
        self._ended = {nonce: at for nonce, at in self._ended.items() if at > oldest}
        self._ended[session.nonce] = int(self._now())  # it may have been renewed elsewhere

    def cookie(self, session: Session) -> str:
        said = f"{session.role}.{session.began_at}.{session.nonce}"
        return f"{said}.{self._signed(session.role, said)}"

    def read(self, cookie: str) -> Session | None:
        """The session of a cookie that we made and that is still good."""
        said, _, signature = cookie.rpartition(".")
        parts = said.split(".")
        # a form's token is a signature, too
        if not _same(signature, self._signed(parts[0], said)) or len(parts) != _PARTS - 1:
            return None
        role, began_at, nonce = parts
        session = Session(role, int(began_at), nonce)  # type: ignore[arg-type]
        is_over = self._now() - session.began_at > SECONDS or nonce in self._ended
        return None if is_over else session

    def renewed(self, session: Session) -> Session | None:
        """The same, begun now, when it is time for that."""
        now = int(self._now())
        return (
            msgspec.structs.replace(session, began_at=now) if now - session.began_at > RENEWED_AFTER else None
        )

    def form_token(self, session: Session) -> str:
        return self._signed(session.role, f"form.{session.nonce}")

    def is_form_token(self, session: Session, token: str) -> bool:
        return _same(token, self.form_token(session))

    def _signed(self, role: str, said: str) -> str:
        token = self._read_token() if role == "reader" else self._admin_token()
        key = sha256(f"relay console\n{role}\n{token}".encode("utf-8", "surrogatepass")).digest()
        return hmac.new(key, said.encode("utf-8", "surrogatepass"), sha256).hexdigest()


def tokens_in(header: str) -> tuple[str, ...]:
    """What may be the token: the Bearer value, or user and password of Basic."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return (value.strip(),)
    if scheme.lower() != "basic":
        return ()
    try:
        user, _, password = b64decode(value.strip()).decode().partition(":")
    except (binascii.Error, ValueError):
        return ()
    return tuple(part for part in (user, password) if part)


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode())
