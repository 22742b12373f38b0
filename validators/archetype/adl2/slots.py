"""Rules about slots of ADL 2 archetypes, and about the archetypes that fill them or are used directly."""

from __future__ import annotations

from collections.abc import Iterator

from archetypes.aom.archetype import Archetype, ArchetypeId, ArtefactKind
from archetypes.aom.constraints import ArchetypeSlot, CArchetypeRoot
from archetypes.aom.slots import admits, is_everything
from archetypes.findings import Finding
from archetypes.rm.schema import rm_schema
from validators.archetype.adl2.pairs import node_pairs, redefinitions
from validators.archetype.subject import Place, Subject, at, finding


def check_includes_and_excludes(subject: Subject) -> Iterator[Finding]:
    """VDSEV: beside includes of everything no exclude of everything, and the other way round (AOM 2, VDSEV).

    Archetypes named on one side only make sense beside everything, or nothing, on the other.
    """
    for place in subject.places:
        slot = place.node
        if not (isinstance(slot, ArchetypeSlot) and slot.includes and slot.excludes):
            continue
        if _is_any(slot.includes) == _is_any(slot.excludes):
            yield at(place, "VDSEV", expected="/.*/", found=" | ".join(slot.excludes))


def check_redefined_slot_codes(subject: Subject) -> Iterator[Finding]:
    """VDSSID: a redefined slot keeps its code (AOM 2, VDSSID)."""
    for path, child, parent in _redefined_slots(subject):
        if child.node_id != parent.node_id:
            yield finding("VDSSID", path, expected=parent.node_id, found=child.node_id, span=child.span)


def check_redefined_slots_narrower(subject: Subject) -> Iterator[Finding]:
    """VDSSM: a redefined slot takes less of the repository than its parent (AOM 2, VDSSM).

    Found is a slot that takes an archetype which its parent refuses; that it takes the same is no fault here,
    because it depends on what the repository happens to hold.
    """
    if subject.repository is None:
        return
    for path, child, parent in _redefined_slots(subject):
        for archetype_id in subject.repository.ids() if child.includes or child.excludes else ():
            if _fits(child, archetype_id) and not _fits(parent, archetype_id):
                yield finding("VDSSM", path, found=archetype_id, span=child.span)
                break


def check_closed_slots(subject: Subject) -> Iterator[Finding]:
    """VDSSP: a slot that the parent closed is not redefined (AOM 2, VDSSP)."""
    for path, child, parent in redefinitions(subject):
        if isinstance(parent, ArchetypeSlot) and parent.is_closed:
            yield finding("VDSSP", path, found=child.node_id, span=child.span)


def check_closed_or_narrowed(subject: Subject) -> Iterator[Finding]:
    """VDSSC: a redefined slot is closed or narrowed, not both (AOM 2, VDSSC)."""
    for path, child, _ in _redefined_slots(subject):
        if child.is_closed and (child.includes or child.excludes):
            found = " | ".join((*child.includes, *child.excludes))
            yield finding("VDSSC", path, found=found, span=child.span)


def check_used_archetypes_known(subject: Subject) -> Iterator[Finding]:
    """VARXR: the archetype that is used is in the repository (AOM 2, VARXR).

    An operational template holds it already.
    """
    if subject.repository is None:
        return
    held = subject.archetype.component_terminologies
    for place, root in _roots(subject):
        if root.archetype_id not in held and subject.used(root.archetype_id) is None:
            yield at(place, "VARXR", found=root.archetype_id)


def check_used_types(subject: Subject) -> Iterator[Finding]:
    """VARXTV: the id of the used archetype names the type of the node (AOM 2, VARXTV)."""
    for place, root in _roots(subject):
        try:
            used = ArchetypeId.parse(root.archetype_id.rpartition("::")[2]).rm_class
        except ValueError:
            continue
        if not rm_schema().is_a(used, root.rm_type_name):
            yield at(place, "VARXTV", expected=root.rm_type_name, found=used)


def check_fillers_fit(subject: Subject) -> Iterator[Finding]:
    """VARXS: what fills a slot is one of the archetypes that it takes (AOM 2, VARXS)."""
    for path, child, parent in redefinitions(subject):
        if not (isinstance(child, CArchetypeRoot) and isinstance(parent, ArchetypeSlot)):
            continue
        # A template fills slots with overlays; what they specialise is what the slot must take.
        ids = [child.archetype_id, *_ancestors(subject, child.archetype_id)]
        if not any(_fits(parent, each) for each in ids):
            expected = " | ".join(parent.includes)
            yield finding("VARXS", path, expected=expected, found=child.archetype_id, span=child.span)


def check_filler_codes(subject: Subject) -> Iterator[Finding]:
    """VARXID: what fills a slot has a code that specialises the slot's (AOM 2, VARXID)."""
    for path, child, parent in redefinitions(subject):
        is_filler = isinstance(child, CArchetypeRoot) and isinstance(parent, ArchetypeSlot)
        if is_filler and child.node_id == parent.node_id:
            expected = f"{parent.node_id}.1"
            yield finding("VARXID", path, expected=expected, found=child.node_id, span=child.span)


def check_redefined_references(subject: Subject) -> Iterator[Finding]:
    """VARXAV: in place of a used archetype stands it or one that specialises it (AOM 2, VARXAV)."""
    for path, child, parent in redefinitions(subject):
        if not (isinstance(child, CArchetypeRoot) and isinstance(parent, CArchetypeRoot)):
            continue
        used, before = subject.used(child.archetype_id), subject.used(parent.archetype_id)
        if used is None or before is None:
            continue
        if before.archetype_id not in (used.archetype_id, *_ancestors(subject, child.archetype_id)):
            expected = before.archetype_id
            yield finding("VARXAV", path, expected=expected, found=child.archetype_id, span=child.span)


def check_languages_of_fillers(subject: Subject) -> Iterator[Finding]:
    """VTPL: what a template uses has the template's original language (AOM 2, VTPL)."""
    if subject.archetype.kind is not ArtefactKind.TEMPLATE:
        return
    language = subject.archetype.original_language
    for place, root in _roots(subject):
        used = subject.used(root.archetype_id)
        if used is not None and language not in used.terminology.terms:
            yield at(place, "VTPL", expected=language, found=root.archetype_id)


def _roots(subject: Subject) -> Iterator[tuple[Place, CArchetypeRoot]]:
    for place in subject.places:
        if isinstance(place.node, CArchetypeRoot):
            yield place, place.node


def _redefined_slots(subject: Subject) -> Iterator[tuple[str, ArchetypeSlot, ArchetypeSlot]]:
    for pair in node_pairs(subject):
        if isinstance(pair.child, ArchetypeSlot) and isinstance(pair.parent, ArchetypeSlot):
            yield pair.path, pair.child, pair.parent


def _is_any(patterns: tuple[str, ...]) -> bool:
    return any(is_everything(pattern) for pattern in patterns)


def _fits(slot: ArchetypeSlot, archetype_id: str) -> bool:
    """Patterns are about ids of one part of the version mostly: ``.v1``, not ``.v1.0.2``."""
    bare = archetype_id.rpartition("::")[2]
    stem, _, version = bare.rpartition(".v")
    return admits(slot, bare) or admits(slot, f"{stem}.v{version.partition('.')[0]}")


def _ancestors(subject: Subject, archetype_id: str) -> list[str]:
    """The ids of what an archetype specialises, the nearest first."""
    line: list[str] = []
    each: Archetype | None = subject.used(archetype_id)
    while each is not None and each.parent_id is not None and len(line) < 20:
        parent = subject.used(each.parent_id)
        line.append(parent.archetype_id if parent else each.parent_id)
        each = parent
    return line
