"""Comments of a definition, each kept with the node that it stands beside or above."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace

from archetypes.adl.lexer import TokenStream
from archetypes.adl.source import SourceText
from archetypes.aom.constraints import CAttribute, CComplexObject, CObject

_RULE = re.compile(r"-{8,}\s*")  # a line between two parts of a file, which says nothing


def text_of(comment: str) -> str:
    """What a comment says, its two dashes left out; empty for a line of dashes."""
    return "" if _RULE.fullmatch(comment) else comment.removeprefix("--").strip()


def with_comments(root: CComplexObject, stream: TokenStream) -> CComplexObject:
    """The tree, its nodes with the comments that the stream passed.

    A comment at the end of a line belongs to the last node that begins on this line; one on a line of its own
    to the next node, or to the last one if none follows.
    """
    comments = {offset: text for offset, text in stream.comments.items() if text_of(text)}
    if not comments:
        return root
    placed = _Placed(_comments_of_nodes(root, comments, stream.source))
    done = placed.object(root)
    assert isinstance(done, CComplexObject)
    return done


def _comments_of_nodes(
    root: CComplexObject, comments: Mapping[int, str], source: SourceText
) -> Mapping[int, str]:
    """What is said of each node, by the node's number in the order of the text."""
    places = [(node.span.line, node.span.column) if node.span else (0, 0) for node in _in_order(root)]
    found: defaultdict[int, list[str]] = defaultdict(list)
    for offset, comment in sorted(comments.items()):
        span = source.span(offset)
        after = bisect_right(places, (span.line, span.column))
        beside = after > 0 and places[after - 1][0] == span.line
        number = after - 1 if beside or after == len(places) else after
        found[number].append(text_of(comment))
    return {number: "\n".join(lines) for number, lines in found.items()}


def _in_order(node: CObject) -> Iterator[CObject | CAttribute]:
    yield node
    if isinstance(node, CComplexObject):
        for attribute in node.attributes:
            yield attribute
            for child in attribute.children:
                yield from _in_order(child)


class _Placed:
    """A walk over the tree in the order of the text that gives each node its comment."""

    def __init__(self, comments: Mapping[int, str]) -> None:
        self._comments = comments
        self._number = -1

    def object(self, node: CObject) -> CObject:
        comment = self._next()
        if isinstance(node, CComplexObject):
            attributes = tuple(self._attribute(attribute) for attribute in node.attributes)
            if any(new is not old for new, old in zip(attributes, node.attributes, strict=True)):
                node = replace(node, attributes=attributes)
        return replace(node, comment=comment) if comment else node

    def _attribute(self, attribute: CAttribute) -> CAttribute:
        comment = self._next()
        children = tuple(self.object(child) for child in attribute.children)
        if any(new is not old for new, old in zip(children, attribute.children, strict=True)):
            attribute = replace(attribute, children=children)
        return replace(attribute, comment=comment) if comment else attribute

    def _next(self) -> str:
        self._number += 1
        return self._comments.get(self._number, "")
