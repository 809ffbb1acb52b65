"""The language of messages: Liquid, reduced to what is safe and what can be read beforehand.

Values are texts and numbers, so there is nothing to loop over or to assign: loops, ranges,
assignments and filters that can multiply their input do not exist here, and the limits of
the library are the second wall. A placeholder is a plain name; `{{ customer_name }}`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from liquid import Environment, Mode, RenderContext, escape
from liquid.ast import ConditionalBlockNode, Node
from liquid.builtin import content, illegal, output
from liquid.builtin.content import ContentNode
from liquid.builtin.expressions import FilteredExpression, Path, StringLiteral
from liquid.builtin.expressions.logical import BooleanExpression, LogicalAndExpression
from liquid.builtin.expressions.primitive import RangeLiteral
from liquid.builtin.filters import misc, string
from liquid.builtin.output import OutputNode
from liquid.builtin.tags import case_tag, if_tag, unless_tag
from liquid.exceptions import LiquidError
from liquid.expression import Expression
from liquid.template import BoundTemplate
from liquid.token import TOKEN_CONTENT

Value = str | int | None
# Writes what stands between two constant texts.
Fill = Callable[[Mapping[str, Value]], str]
Parts = tuple[str | Fill, ...]

# None of these can make its input much longer than it is.
FILTERS = {
    "capitalize": string.capitalize,
    "default": misc.default,
    "downcase": string.downcase,
    "strip": string.strip,
    "truncate": string.truncate,
    "truncatewords": string.truncatewords,
    "upcase": string.upcase,
    "url_encode": string.url_encode,
}
TAGS = (if_tag.IfTag, unless_tag.UnlessTag, case_tag.CaseTag)


class MarkupError(ValueError):
    """What is wrong with a source and where, both counted from 1."""

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        self.message, self.line, self.column = message, line, column
        super().__init__(
            _("Line %(line)d, column %(column)d: %(message)s")
            % {"line": line, "column": column, "message": message}
        )


class MarkupEnvironment(Environment):
    """Liquid with the tags and filters above and nothing else."""

    loop_iteration_limit: ClassVar[int | None] = 1_000
    output_stream_limit: ClassVar[int | None] = 500_000
    local_namespace_limit: ClassVar[int | None] = 10_000
    block_nesting_limit: ClassVar[int] = 10

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        for tag in (content.Literal, output.Output, illegal.Illegal, *TAGS):
            self.add_tag(tag)
        for name, function in FILTERS.items():
            self.add_filter(name, function)


_TEXT = MarkupEnvironment(tolerance=Mode.STRICT, autoescape=False)
_HTML = MarkupEnvironment(tolerance=Mode.STRICT, autoescape=True)


@dataclass(frozen=True)
class Output:
    """`{{ name }}` or `{{ name | default: "…" }}`: all that vendors' own templates know."""

    name: str
    default: str | None
    start: int

    def value(self, values: Mapping[str, Value]) -> str:
        value = values.get(self.name)
        return (self.default or "") if value is None else str(value)

    def escaped(self, values: Mapping[str, Value]) -> str:
        """As `value`, for HTML; a default is its author's own."""
        value = values.get(self.name)
        return (self.default or "") if value is None else str(escape(value))


@dataclass(frozen=True)
class Markup:
    """A parsed source.

    `names` are its placeholders in order of appearance, `positions` where each first stands,
    `required` those that print nothing when their value is missing. `pieces` are its texts
    and outputs when it consists of plain ones only, else None; then `unplain_at` is where
    the first other thing stands. `parts` are its constant texts and what writes the others: with
    nothing to loop over or to assign, each can be written by itself.
    """

    source: str
    parts: Parts
    names: tuple[str, ...]
    positions: Mapping[str, int]
    required: frozenset[str]
    pieces: tuple[str | Output, ...] | None
    unplain_at: int | None

    def render(self, values: Mapping[str, Value]) -> str:
        """The text with values filled in; None stands for a missing one.

        Raises `MarkupError` where the values do not suit an expression.
        """
        return "".join([part if isinstance(part, str) else part(values) for part in self.parts])

    @cached_property
    def outputs(self) -> tuple[Output, ...]:
        """The plain outputs in order; empty when there are others."""
        return tuple(piece for piece in self.pieces or () if isinstance(piece, Output))


def parse(source: str, *, html: bool = False) -> Markup:
    """Read a source. Raises `MarkupError`; `html` escapes what is filled in."""
    environment = _HTML if html else _TEXT
    try:
        template = environment.from_string(source)
    except LiquidError as error:
        raise _located(error, source) from error
    reader = _Reader(source, environment)
    reader.read(template)
    pieces, unplain_at = _pieces(template)
    return Markup(
        source=source,
        parts=_parts(source, template),
        names=tuple(sorted(reader.positions, key=reader.positions.__getitem__)),
        positions=reader.positions,
        required=frozenset(reader.required),
        pieces=None if html else pieces,
        unplain_at=unplain_at,
    )


def split(source: str) -> list[tuple[bool, str]]:
    """The source cut into `(is code, text)`: outside and inside of braces. Raises `MarkupError`."""
    cut: list[tuple[bool, str]] = []
    end = 0
    try:
        for token in _TEXT.tokenizer()(source):
            if token.kind == TOKEN_CONTENT:
                if token.start_index > end:
                    cut.append((True, source[end : token.start_index]))
                cut.append((False, token.value))
                end = token.start_index + len(token.value)
    except LiquidError as error:
        raise _located(error, source) from error
    if end < len(source):
        cut.append((True, source[end:]))
    return cut


def position(source: str, index: int) -> tuple[int, int]:
    """Line and column of an index, from 1."""
    before = source[:index]
    return before.count("\n") + 1, index - (before.rfind("\n") + 1) + 1


class _Reader:
    """Walks a syntax tree: refuses what is not allowed and collects the placeholders."""

    def __init__(self, source: str, environment: Environment) -> None:
        self.source = source
        self.environment = environment
        self.positions: dict[str, int] = {}
        self.required: set[str] = set()

    def read(self, template: BoundTemplate) -> None:
        context = RenderContext(template)
        for node in template.nodes:
            self._node(node, context, frozenset())

    def _node(self, node: Node, context: RenderContext, present: frozenset[str]) -> None:
        """`present`: the names that a condition around this node found to have a value."""
        if isinstance(node, ContentNode) and ("}}" in node.text or "%}" in node.text):
            raise self._error(_("There are closing braces without opening ones."), node.token)
        for expression in node.expressions():
            self._expression(expression)
        if isinstance(node, OutputNode):
            self._require(node, present)
        for child in node.children(context):
            inside = present
            if isinstance(node, if_tag.IfNode) and child is node.consequence:
                inside = present | _names_found(node.condition)
            elif isinstance(node, ConditionalBlockNode):
                inside = present | _names_found(node.expression)
            self._node(child, context, inside)

    def _expression(self, expression: Expression) -> None:
        # With autoescape the library takes literals for trusted HTML.
        literal = expression.value if isinstance(expression, StringLiteral) else ""
        if self.environment.autoescape and {"<", "&"} & set(literal):
            raise self._error(_("HTML may not stand inside braces."), expression.token)
        if isinstance(expression, RangeLiteral):
            raise self._error(_("Ranges are not allowed."), expression.token)
        if isinstance(expression, Path):
            name = expression.path[0]
            if len(expression.path) > 1 or not isinstance(name, str):
                raise self._error(
                    _("“%(path)s” is not a merge field; write its plain name.")
                    % {"path": str(expression)[:60]},
                    expression.token,
                )
            self.positions.setdefault(name, expression.token.start_index)
        if isinstance(expression, FilteredExpression):
            for each in expression.filters or ():
                if each.name not in self.environment.filters:
                    raise self._error(
                        _("There is no filter “%(name)s”; use one of %(known)s.")
                        % {"name": each.name[:60], "known": ", ".join(FILTERS)},
                        each.token,
                    )
        for child in expression.children():
            self._expression(child)

    def _require(self, node: OutputNode, present: frozenset[str]) -> None:
        expression = node.expression
        has_default = any(
            each.name == "default" and not any(isinstance(a.value, Path) for a in each.args)
            for each in getattr(expression, "filters", None) or ()
        )
        if not has_default:
            self.required |= set(_paths(expression)) - present

    def _error(self, message: str, token: Any) -> MarkupError:
        return MarkupError(message, *position(self.source, max(token.start_index, 0)))


def filling(name: str, default: str | None = None, *, html: bool = False) -> Fill:
    """What writes a plain output; the same one for the same output."""
    return _filling(name, default, html)


@lru_cache(maxsize=4096)
def _filling(name: str, default: str | None, html: bool) -> Fill:
    output = Output(name, default, 0)
    return output.escaped if html else output.value


def _parts(source: str, template: BoundTemplate) -> Parts:
    parts: list[str | Fill] = []
    for node in template.nodes:
        if isinstance(node, ContentNode):
            parts.append(node.text)
        elif isinstance(node, OutputNode) and (plain := _plain_output(node)):
            parts.append(filling(plain.name, plain.default, html=template.env.autoescape))
        else:
            parts.append(_Passage(source, BoundTemplate(template.env, [node])).text)
    return tuple(parts)


@dataclass(frozen=True)
class _Passage:
    """A condition, or an output that is not plain."""

    source: str
    template: BoundTemplate

    def text(self, values: Mapping[str, Value]) -> str:
        try:
            return self.template.render(values)
        except (LiquidError, ArithmeticError, ValueError) as error:
            raise _located(error, self.source) from error


def _pieces(template: BoundTemplate) -> tuple[tuple[str | Output, ...] | None, int | None]:
    """The texts and plain outputs; or None, and where something else stands."""
    pieces: list[str | Output] = []
    for node in template.nodes:
        if isinstance(node, ContentNode):
            pieces.append(node.text)
        elif isinstance(node, OutputNode) and (plain := _plain_output(node)):
            pieces.append(plain)
        else:
            return None, node.token.start_index
    return tuple(pieces), None


def _plain_output(node: OutputNode) -> Output | None:
    expression = node.expression
    if not isinstance(expression, FilteredExpression) or not isinstance(expression.left, Path):
        return None
    name, start = str(expression.left.path[0]), node.token.start_index
    match expression.filters or []:
        case []:
            return Output(name, None, start)
        case [only] if only.name == "default" and len(only.args) == 1:
            literal = only.args[0].value
            if isinstance(literal, StringLiteral):
                return Output(name, str(literal.value), start)
    return None


def _names_found(condition: Expression) -> frozenset[str]:
    """Names that must have a value for the condition to hold: `a` and `b` of `if a and b`."""
    if isinstance(condition, BooleanExpression):
        return _names_found(condition.expression)
    if isinstance(condition, LogicalAndExpression):
        return _names_found(condition.left) | _names_found(condition.right)
    return frozenset(_paths(condition)) if isinstance(condition, Path) else frozenset()


def _paths(expression: Expression) -> Iterator[str]:
    if isinstance(expression, Path):
        yield str(expression.path[0])
    for child in expression.children():
        yield from _paths(child)


def _located(error: Exception, source: str) -> MarkupError:
    token = getattr(error, "token", None)
    index = token.start_index if token is not None and token.start_index >= 0 else len(source)
    message = str(getattr(error, "message", None) or error)
    return MarkupError(f"{message[:1].upper()}{message[1:]}.", *position(source, index))
