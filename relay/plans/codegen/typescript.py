"""TypeScript: one file that imports nothing, for analytics.js in a browser or `@segment/analytics-node`.

Only what disappears when types are stripped: no enums, no namespaces. A line of a comment never begins with `@`, which
is how instructions to the compiler begin.
"""

import json
import re
from collections.abc import Iterator
from typing import Literal

from relay.plans.codegen.model import (
    Anything,
    Array,
    Call,
    Calls,
    Nothing,
    Object,
    Plain,
    Type,
    Union,
    Values,
    members,
)
from relay.plans.codegen.names import camel, named, pascal
from relay.plans.codegen.objects import Found, is_named, methods, objects_of, title_of
from relay.plans.codegen.texts import lines, quoted
from relay.plans.rules import ROOT

Sdk = Literal["browser", "node"]

# what analytics.js adds to the properties of a page
BROWSER_ADDS = frozenset(("path", "referrer", "search", "title", "url"))

_PLAIN = {
    "string": "string",
    "date-time": "Date | string",
    "number": "number",
    "integer": "number",
    "boolean": "boolean",
    "null": "null",
}
_WORDS = (
    *(
        "any",
        "as",
        "async",
        "await",
        "bigint",
        "boolean",
        "break",
        "case",
        "catch",
        "class",
        "const",
        "continue",
    ),
    *(
        "debugger",
        "declare",
        "default",
        "delete",
        "do",
        "else",
        "enum",
        "export",
        "extends",
        "false",
        "finally",
    ),
    *(
        "for",
        "from",
        "function",
        "get",
        "if",
        "implements",
        "import",
        "in",
        "infer",
        "instanceof",
        "interface",
    ),
    *(
        "is",
        "keyof",
        "let",
        "module",
        "namespace",
        "never",
        "new",
        "null",
        "number",
        "object",
        "of",
        "package",
    ),
    *("private", "protected", "public", "readonly", "return", "set", "static", "string", "super", "switch"),
    *(
        "symbol",
        "this",
        "throw",
        "true",
        "try",
        "type",
        "typeof",
        "undefined",
        "unknown",
        "var",
        "void",
        "while",
    ),
    *("with", "yield"),
)
_GLOBALS = ("Array", "Date", "Object", "Parameters", "Record", "ReturnType")
_OWN = ("Analytics", "Call", "Tracker", "View")
# a class that has `then` is a promise, and the others mean something to every object
_OF_OBJECTS = (
    *("analytics", "constructor", "then", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable"),
    *("toLocaleString", "toString", "valueOf"),
)
_IDENTIFIER = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*", re.ASCII)

_BROWSER = """
/* eslint-disable */

/** analytics.js, from a script or a package. */
export interface Analytics {
  track(event: string, properties?: object, options?: object): unknown
  identify(userId?: string | null, traits?: object, options?: object): unknown
  group(groupId?: string | null, traits?: object, options?: object): unknown
  page(category?: string, name?: string, properties?: object, options?: object): unknown
  screen(category?: string, name?: string, properties?: object, options?: object): unknown
}

/** What every call may have. */
export interface Call {
  userId?: string
  anonymousId?: string
  context?: { [name: string]: unknown }
  integrations?: { [name: string]: unknown }
  timestamp?: Date | string
}

/** What a page or a screen may have. */
export interface View extends Call {
  name?: string
  category?: string
}
"""

_NODE = """
/* eslint-disable */

/** `Analytics` of @segment/analytics-node. */
export interface Analytics {
  track(message: object, callback?: Callback): unknown
  identify(message: object, callback?: Callback): unknown
  group(message: object, callback?: Callback): unknown
  page(message: object, callback?: Callback): unknown
  screen(message: object, callback?: Callback): unknown
}

export type Callback = (error?: unknown, context?: any) => void

/** What every call may have, and whose it is. */
export type Call = {
  context?: { [name: string]: unknown }
  integrations?: { [name: string]: unknown }
  timestamp?: Date | string
  messageId?: string
} & ({ userId: string; anonymousId?: string } | { userId?: string; anonymousId: string })
"""

_VERSION = """
function ofVersion<C extends { context?: { [name: string]: unknown } }>(call: C | undefined, version: number) {
  const protocols = { ...(call?.context?.["protocols"] as object | undefined), event_version: version }
  return { ...call, context: { ...call?.context, protocols } }
}
"""


def typescript(calls: Calls, sdk: Sdk) -> str:
    """The file."""
    return "\n".join(_File(calls, sdk).lines()) + "\n"


class _File:
    def __init__(self, calls: Calls, sdk: Sdk) -> None:
        self._calls = calls
        self._sdk = sdk
        self._objects = objects_of(calls)
        reserved = (*_WORDS, *_GLOBALS, *_OWN, "Callback")
        names = named({found.id: found.texts for found in self._objects}, pascal, reserved, "event")
        self._names = {found.object: names[found.id] for found in self._objects}
        self._methods = methods(calls, camel, (*_WORDS, *_OF_OBJECTS))

    def lines(self) -> Iterator[str]:
        said = f"Generated by `relay plan codegen` from the tracking plan `{self._calls.plan}`."
        yield f"// {' '.join(lines(said))} Change the plan, not this file."
        yield from (_BROWSER if self._sdk == "browser" else _NODE).strip("\n").split("\n")
        if any(call.sent_version is not None for call in self._calls.calls):
            yield from _VERSION.rstrip("\n").split("\n")
        for found in self._objects:
            yield ""
            yield from self._type(found)
        yield from ("", "/** The calls of the plan. */", "export class Tracker<SDK extends Analytics> {")
        yield from ("  private readonly analytics: SDK", "", "  constructor(analytics: SDK) {")
        yield from ("    this.analytics = analytics", "  }")
        for call in self._calls.calls:
            yield ""
            yield from self._method(call)
        yield "}"

    # --- types ---

    def _type(self, found: Found) -> Iterator[str]:
        name, it = self._names[found.object], found.object
        yield from _comment(
            lines(found.description, "It may have other names." if it.others is not None else ""), ""
        )
        if not it.fields:
            yield f"export type {name} = Record<string, never>"
            return
        yield f"export interface {name} {{"
        for field in it.fields:
            yield from _comment(lines(field.description, *_whole(field.type), *field.notes), "  ")
            yield f"  {_name(field.name)}{'' if field.is_required else '?'}: {self._of(field.type)}"
        if it.others is not None:
            yield "  [name: string]: unknown"
        yield "}"

    def _of(self, type_: Type) -> str:
        match type_:
            case Anything() | Nothing():
                return "unknown" if isinstance(type_, Anything) else "never"
            case Plain(kind):
                return _PLAIN[kind]
            case Values(texts):
                return " | ".join(_literal(text) for text in texts)
            case Array(item):
                return f"Array<{self._of(item)}>"
            case Object():
                return (
                    self._names[type_]
                    if is_named(type_)
                    else f"Record<string, {self._of(type_.others or Anything())}>"
                )
            case Union(some):
                return " | ".join(dict.fromkeys(self._of(one) for one in some))

    # --- calls ---

    def _method(self, call: Call) -> Iterator[str]:
        said = lines(f"{title_of(call)[:1].upper()}{title_of(call)[1:]}.", call.description, *call.notes)
        yield from _comment(said, "  ")
        yield from self._of_browser(call) if self._sdk == "browser" else self._of_node(call)

    def _of_browser(self, call: Call) -> Iterator[str]:
        name, root = self._methods[call.id], ROOT[call.type]
        data = f"{root}{'?' if call.is_data_optional else ''}: {self._of(call.data)}"
        before = {"identify": "userId: string | null | undefined, ", "group": "groupId: string, "}
        is_view = call.type in _VIEWS
        options = "View" if is_view and not call.key else 'Omit<View, "name">' if is_view else "Call"
        yield f'  {name}({before.get(call.type, "")}{data}, options?: {options}): ReturnType<SDK["{call.type}"]> {{'
        rest = "rest" if is_view else "options"
        given = rest if call.sent_version is None else f"ofVersion({rest}, {call.sent_version})"
        if is_view:
            shown = _quoted(call.key) if call.key else 'name ?? (category === undefined ? undefined : "")'
            yield f"    const {{ {'' if call.key else 'name, '}category, ...rest }} = options ?? {{}}"
            first = f"category, {shown}"
        else:
            first = {"track": _quoted(call.key), "identify": "userId", "group": "groupId"}[call.type]
        yield f'    return this.analytics.{call.type}({first}, {root}, {given}) as ReturnType<SDK["{call.type}"]>'
        yield "  }"

    def _of_node(self, call: Call) -> Iterator[str]:
        root = ROOT[call.type]
        own = [f"{root}{'?' if call.is_data_optional else ''}: {self._of(call.data)}"]
        if call.type == "group":
            own.insert(0, "groupId: string")
        if call.type in _VIEWS:
            own += ["category?: string"] if call.key else ["name?: string", "category?: string"]
        yield f"  {self._methods[call.id]}(message: Call & {{ {'; '.join(own)} }}, callback?: Callback): void {{"
        version = call.sent_version
        given = "message" if version is None else f"ofVersion(message, {version})"
        fixed = {"track": "event"}.get(call.type, "name") if call.key else ""
        sent = f"{{ ...{given}, {fixed}: {_quoted(call.key)} }}" if fixed else given
        yield f"    this.analytics.{call.type}({sent}, callback)"
        yield "  }"


_VIEWS = frozenset(("page", "screen"))


def _whole(type_: Type) -> list[str]:
    return ["A whole number."] if Plain("integer") in members(type_) else []


def _name(name: str) -> str:
    return name if _IDENTIFIER.fullmatch(name) else _quoted(name)


def _literal(text: str) -> str:
    return _quoted(json.loads(text)) if text.startswith('"') else text


def _quoted(text: str) -> str:
    return quoted(text, "\\u{:04x}", "\\u{{{:x}}}")


def _comment(said: list[str], indent: str) -> Iterator[str]:
    safe = [line.replace("*/", "*\\/") for line in said]
    safe = [f"\\{line}" if line.startswith("@") else line for line in safe]
    if len(safe) == 1:
        yield f"{indent}/** {safe[0]} */"
    elif safe:
        yield from (f"{indent}/**", *(f"{indent} * {line}" for line in safe), f"{indent} */")
