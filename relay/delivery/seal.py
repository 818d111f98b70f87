"""Tokens encrypted with what `encryption_key` gives: scrypt makes the key, AES-256-GCM seals.

    salt (16 bytes)  nonce (12 bytes)  ciphertext with its tag

The account is authenticated too, so that a token cannot be moved to another. One salt serves a process: scrypt is
slow on purpose, and these functions are called on a thread.
"""

import hashlib
import os
from functools import lru_cache

_SALT, _NONCE = 16, 12
_SCRYPT = {"n": 2**14, "r": 8, "p": 1}  # RFC 7914: for interactive use; 16 MB and 0.05 s


class Unreadable(Exception):
    """Sealed with another key, or damaged."""


class Seal:
    """Seals and opens by one passphrase."""

    def __init__(self, passphrase: str) -> None:
        self._salt = os.urandom(_SALT)
        self._key = lru_cache(8)(lambda salt: _derived(passphrase, salt))

    def seal(self, text: bytes, account: str) -> bytes:
        """`text`, encrypted."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415  few need it

        nonce = os.urandom(_NONCE)
        sealed = AESGCM(self._key(self._salt)).encrypt(nonce, text, account.encode())
        return self._salt + nonce + sealed

    def open(self, sealed: bytes, account: str) -> bytes:
        """What was sealed. Raises Unreadable."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

        salt, nonce, rest = sealed[:_SALT], sealed[_SALT : _SALT + _NONCE], sealed[_SALT + _NONCE :]
        try:
            return AESGCM(self._key(salt)).decrypt(nonce, rest, account.encode())
        except (InvalidTag, ValueError):  # ValueError: too short to be one
            raise Unreadable from None


def _derived(passphrase: str, salt: bytes) -> bytes:
    return hashlib.scrypt(passphrase.encode(), salt=salt, dklen=32, **_SCRYPT)
