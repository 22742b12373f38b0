"""What archetypes may say and operational templates of ADL 1.4 cannot."""

from __future__ import annotations

from collections.abc import Iterator

from archetypes.aom.constraints import (
    ArchetypeSlot,
    CComplexObject,
    CDvState,
    CObject,
    CPrimitiveObject,
    CTerminologyCode,
)


def uncompiled(root: CComplexObject) -> Iterator[tuple[str, str]]:
    """The code of a finding, and what it found, for each constraint that would be lost."""
    waiting: list[CObject] = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ArchetypeSlot):
            for assertion in (*node.other_includes, *node.other_excludes):
                yield "template.unsupported_assertion", assertion
        elif isinstance(node, CDvState):
            yield "oet.unsupported_constraint", "C_DV_STATE"
        elif isinstance(node, CTerminologyCode) or (isinstance(node, CPrimitiveObject) and node.others):
            yield "oet.unsupported_constraint", "ADL 2"
        elif isinstance(node, CComplexObject):
            if node.tuples or node.default_value is not None:
                yield "oet.unsupported_constraint", "ADL 2"
            waiting.extend(child for _, child in node.children())
