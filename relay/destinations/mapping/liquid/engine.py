"""python-liquid, told to behave like liquidjs.

What differs between the two and is set right here: which tags and filters there are, how a variable is
looked up, how values are written, and how `==`, `<` and `contains` compare. Parsing, white space and the
tags themselves are python-liquid's.
"""

import re
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any, TextIO

from liquid import BoundTemplate, Environment, RenderContext
from liquid.ast import Node
from liquid.builtin.expressions import BooleanExpression, FilteredExpression, StringLiteral
from liquid.builtin.expressions.logical import (
    ContainsExpression,
    EqExpression,
    GeExpression,
    GtExpression,
    LeExpression,
    LogicalAndExpression,
    LogicalNotExpression,
    LogicalOrExpression,
    LtExpression,
    NeExpression,
)
from liquid.builtin.output import Output, OutputNode
from liquid.builtin.tags.echo_tag import EchoTag
from liquid.exceptions import LiquidError, LiquidSyntaxError
from liquid.expression import Expression
from liquid.token import Token

from relay.destinations.mapping.javascript import MISSING
from relay.destinations.mapping.liquid import values
from relay.destinations.mapping.liquid.filters import FILTERS

__all__ = ["LiquidError", "parse", "render"]

BLOCKED_TAGS = ("case", "for", "include", "layout", "render", "tablerow")
NOT_IN_LIQUIDJS = ("doc", "ifchanged")
FOR_LOOPS_ONLY = ("break", "continue")
BLOCKED_FILTERS = frozenset(
    (
        *("array_to_sentence_string", "concat", "find", "find_exp", "find_index", "find_index_exp"),
        *("group_by", "group_by_exp", "has", "has_exp", "map", "newline_to_br", "reject", "reject_exp"),
        *("reverse", "sort", "sort_natural", "uniq", "where_exp", "type"),
    )
)

ESCAPE = re.compile(r"\\(.)", re.DOTALL)
ESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
MARKUP = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
KEYWORD_KEY = re.compile(  # a text, or a word of the language after a dot
    r"""\"[^"]*\"|'[^']*'|\.(and|as|blank|contains|cols|else|empty|false|for|if|in|limit|nil|not|null|offset|or
    |reversed|true|with)(?![\w-])""",
    re.VERBOSE,
)


class WrittenNode(OutputNode):
    """`{{ … }}` with the value written as liquidjs writes it."""

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        return buffer.write(values.written(values.plain(self.expression.evaluate(context))))


class WrittenOutput(Output):
    node_class = WrittenNode


class WrittenEcho(EchoTag):
    node_class = WrittenNode  # type: ignore[assignment]  # as good as an EchoNode


class EventContext(RenderContext):
    """Looks variables up in what the template assigned, then in the event."""

    def get(self, path: list[object], *, token: Token | None, default: object = MISSING) -> object:  # noqa: ARG002
        name, *steps = path
        found: Any = MISSING
        for scope in (self.locals, self.globals, self.counters):
            if isinstance(name, str) and name in scope:
                found = scope[name]
                break
        for step in steps:
            found = values.member(found, values.plain(step))
        return found

    def filter(self, name: str, token: Token | None) -> Callable[..., object]:  # noqa: ARG002
        return FILTERS.get(name, unchanged)


def unchanged(value: object, *_arguments: object, **_named: object) -> object:
    """What an unknown filter does."""
    return value


class Comparison(Expression):
    """Two operands under one of JavaScript's operators."""

    __slots__ = ("left", "operator", "right")

    def __init__(self, expression: Any, operator: Callable[[Any, Any], bool]) -> None:
        super().__init__(expression.token)
        self.left, self.right, self.operator = expression.left, expression.right, operator

    def evaluate(self, context: RenderContext) -> bool:
        return self.operator(self.left.evaluate(context), self.right.evaluate(context))

    def children(self) -> list[Expression]:
        return [self.left, self.right]


class Truth(Expression):
    """An operand as true or false: only false, null and missing are false."""

    __slots__ = ("inner", "is_negated")

    def __init__(self, inner: Expression, *, is_negated: bool = False) -> None:
        super().__init__(inner.token)
        self.inner, self.is_negated = inner, is_negated

    def evaluate(self, context: RenderContext) -> bool:
        return values.is_truthy(self.inner.evaluate(context)) != self.is_negated

    def children(self) -> list[Expression]:
        return [self.inner]


COMPARISONS: dict[type[Expression], Callable[[Any, Any], bool]] = {
    EqExpression: values.equal,
    NeExpression: lambda left, right: not values.equal(left, right),
    LtExpression: values.less,
    GtExpression: lambda left, right: values.less(right, left),
    LeExpression: values.less_or_equal,
    GeExpression: lambda left, right: values.less_or_equal(right, left),
    ContainsExpression: values.contains,
}


def adapted(expression: Expression) -> Expression:
    """`expression` as liquidjs would evaluate it."""
    if isinstance(expression, (LogicalAndExpression, LogicalOrExpression)):
        kind = type(expression)
        return kind(expression.token, adapted(expression.left), adapted(expression.right))
    if isinstance(expression, LogicalNotExpression):
        return negated(expression.right)
    if type(expression) in COMPARISONS:
        return Comparison(expression, COMPARISONS[type(expression)])
    return Truth(expression)


def negated(expression: Expression) -> Expression:
    """`not` binds closer than `and` and `or`, which python-liquid has taken into its operand."""
    if isinstance(expression, (LogicalAndExpression, LogicalOrExpression)):
        kind = type(expression)
        return kind(expression.token, negated(expression.left), adapted(expression.right))
    return Truth(adapted(expression), is_negated=True)


class Liquidjs(Environment):
    """The language of `@liquid`."""

    suppress_blank_control_flow_blocks = False
    logical_not_operator = True
    shorthand_indexes = True
    local_namespace_limit = 10_000_000  # bytes, about: a template may not grow without bound
    output_stream_limit = 10_000_000

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        super().setup_tags_and_filters(extra=extra)
        for name in (*BLOCKED_TAGS, *NOT_IN_LIQUIDJS, *FOR_LOOPS_ONLY):
            self.tags.pop(name, None)
        self.add_tag(WrittenOutput)
        self.add_tag(WrittenEcho)


LIQUIDJS = Liquidjs()


def parse(source: str) -> BoundTemplate:
    """The template of `source`; raises `LiquidError` where liquidjs would, blocked filters included."""
    template = parsed(source)
    context = RenderContext(template)
    for node in every_node(template.nodes, context):
        for expression in node.expressions():
            unescape(expression)
            if isinstance(expression, FilteredExpression):
                refuse_blocked(expression)
            if isinstance(expression, BooleanExpression):
                expression.expression = adapted(expression.expression)
    return template


def parsed(source: str) -> BoundTemplate:
    """`source` parsed; python-liquid needs quotes around a key that is also one of its words."""
    try:
        return LIQUIDJS.from_string(source)
    except LiquidSyntaxError:
        quoted = MARKUP.sub(lambda markup: KEYWORD_KEY.sub(with_quotes, markup[0]), source)
        if quoted == source:
            raise
        return LIQUIDJS.from_string(quoted)


def with_quotes(found: re.Match[str]) -> str:
    return f'["{found[1]}"]' if found[1] else found[0]


def every_node(nodes: Any, context: RenderContext) -> Iterator[Node]:
    for node in nodes:
        yield node
        yield from every_node(node.children(context), context)


def unescape(expression: Expression) -> None:
    """Read backslashes in texts, which python-liquid leaves as they are."""
    if isinstance(expression, StringLiteral):
        expression.value = ESCAPE.sub(lambda found: ESCAPED.get(found[1], found[1]), expression.value)
    for child in expression.children():
        unescape(child)


def refuse_blocked(expression: FilteredExpression) -> None:
    for used in expression.filters or ():
        if used.name in BLOCKED_FILTERS:
            raise LiquidSyntaxError(f"the filter {used.name} is blocked", token=used.token)


def render(template: BoundTemplate, event: Any) -> str:
    """The text that `template` makes of `event`."""
    context = EventContext(template, globals=event if isinstance(event, dict) else {})
    buffer: StringIO = template._get_buffer()  # noqa: SLF001  # the one that counts
    template.render_with_context(context, buffer)
    return buffer.getvalue()
