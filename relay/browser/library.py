"""analytics.js as it is served: the built script, and at its end the settings of the source that it is for.

So a page needs one request before its first event. The script is a comment for V8 and `(RELAY=>{…})(`; the settings, as JSON, and a
parenthesis make it whole; with a consent manager, what asks it stands before them, in the same parentheses. They say
nothing of host or scheme, which are those that the browser fetched the script from: one copy serves all names that
relay has. A copy is made once for each key and configuration.

The question was how to serve brotli, which takes a tenth off, without a library for it. The build leaves the stream
open after the last byte of the script; what is missing is written here: the rest as it is, uncompressed ("Brotli Compressed
Data Format", RFC 7932, 9.2), and the end. A tracking plan of hundreds of events makes that longer than gzip, which then is
what is served.
"""

import gzip
from functools import cache
from hashlib import blake2b

import msgspec
import orjson

from relay.browser.build import BUILT
from relay.browser.settings import Facts, inline_settings

MISSING = (
    "analytics.js was not built when relay was installed: install relay again where npm's registry can be reached, "
    "or run `python -m relay.browser.build` in its sources"
)
_CHUNK = 1 << 16  # the most an uncompressed block of brotli has when its length takes 16 bits


class Served(msgspec.Struct, frozen=True):
    """One source's script in every encoding, each with its ETag."""

    facts: Facts
    bodies: dict[str, tuple[bytes, str]]

    def best(self, accepted: str) -> tuple[str, bytes, str]:
        """Encoding, body and ETag for an Accept-Encoding header: the shortest that it takes."""
        taken = _taken(accepted)
        usable = [name for name in self.bodies if name == "identity" or name in taken]
        encoding = min(usable, key=lambda name: len(self.bodies[name][0]))
        return encoding, *self.bodies[encoding]


class Library:
    """The scripts of all sources."""

    def __init__(self) -> None:
        self._served: dict[str, Served] = {}

    def served(self, write_key: str, facts: Facts) -> Served | None:
        """The script for the source of this key; None when none was built. `facts` are the same while nothing changes."""
        found = self._served.get(write_key)
        if found is None or found.facts is not facts:
            parts = _parts()
            if parts is None:
                return None
            found = self._served[write_key] = _made(parts, write_key, facts)
        return found


@cache
def plugin(name: str) -> Served | None:
    """A plug-in of device mode, `TYPE.js`; None when there is no such, or none was built."""
    if name not in plugin_names():
        return None
    whole = (BUILT / f"plugin-{name}").read_bytes()
    return served_as(whole, {"gzip": gzip.compress(whole, 9, mtime=0), "identity": whole})


@cache
def plugin_names() -> frozenset[str]:
    return frozenset(file.name.removeprefix("plugin-") for file in BUILT.glob("plugin-*.js"))


@cache
def _parts() -> tuple[bytes, bytes] | None:
    try:
        return (BUILT / "analytics.js.part").read_bytes(), (BUILT / "analytics.js.br.part").read_bytes()
    except OSError:
        return None


def is_built() -> bool:
    return _parts() is not None


def _made(parts: tuple[bytes, bytes], write_key: str, facts: Facts) -> Served:
    script, open_brotli = parts
    # a page that has the script within itself must not end there
    settings = orjson.dumps(inline_settings(write_key, facts)).replace(b"<", b"\\u003c")
    if facts.consent_manager is not None:
        settings = (
            b"(" + (BUILT / f"consent-{facts.consent_manager}.js").read_bytes() + b"," + settings + b")"
        )
    end = settings + b");\n"
    whole = script + end
    bodies = {"br": closed(open_brotli, end), "gzip": gzip.compress(whole, 9, mtime=0), "identity": whole}
    return Served(facts, _encoded(whole, bodies))


def served_as(whole: bytes, bodies: dict[str, bytes]) -> Served:
    """A file that is the same for all sources."""
    return Served(Facts(), _encoded(whole, bodies))


def _encoded(whole: bytes, bodies: dict[str, bytes]) -> dict[str, tuple[bytes, str]]:
    tag = blake2b(whole, digest_size=12).hexdigest()
    return {name: (body, f'"{tag}-{name}"') for name, body in bodies.items()}


def closed(stream: bytes, end: bytes) -> bytes:
    """A brotli stream that was flushed, with `end` uncompressed after it, and finished."""
    blocks = [end[at : at + _CHUNK] for at in range(0, len(end), _CHUNK)]
    # from the lowest bit: not the last, four nibbles of length, the length less one, uncompressed
    headers = [((len(block) - 1) << 3 | 1 << 19).to_bytes(3, "little") for block in blocks]
    return stream + b"".join(header + block for header, block in zip(headers, blocks, strict=True)) + b"\x03"


def _taken(accepted: str) -> set[str]:
    """The encodings in an Accept-Encoding header, without those that it refuses."""
    taken = set()
    for choice in accepted.lower().split(","):
        name, _, quality = choice.partition(";")
        if quality.replace(" ", "").rstrip("0.") != "q=":
            taken.add(name.strip())
    return taken
