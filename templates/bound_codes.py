"""Which codes and value sets from outside a template binds, and where."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archetypes.aom.constraints import CArchetypeRoot, CCodePhrase, CCodeReference, CDvOrdinal, ConstraintRef
from templates.operational import Node, OperationalTemplate

INTERNAL = frozenset({"local", "openehr"})


@dataclass(frozen=True, slots=True)
class BoundCodes:
    """One binding at a place.

    ``bound`` is the terminology id, or the URI of a value set; ``codes`` are those that the template names,
    none where it takes any of them. ``is_meaning``: data hold none of them, they say what a node means.
    """

    path: str
    bound: str
    codes: tuple[str, ...] = ()
    is_meaning: bool = False


def bound_codes(opt: OperationalTemplate) -> Iterator[BoundCodes]:
    """Every binding of a template, in template order."""
    for node in opt.nodes():
        yield from _of_constraint(node)
        if isinstance(node.constraint, CArchetypeRoot):
            yield from _of_terms(node.path, node.constraint)


def _of_constraint(node: Node) -> Iterator[BoundCodes]:
    match node.constraint:
        case CCodePhrase(terminology_id=str() as terminology, codes=codes) if terminology not in INTERNAL:
            yield BoundCodes(node.path, terminology, codes)
        case CCodeReference(reference_set_uri=uri) | ConstraintRef(reference=uri):
            yield BoundCodes(node.path, uri)
        case CDvOrdinal(items=items):
            for terminology in sorted({item.terminology_id for item in items} - INTERNAL):
                codes = tuple(item.code for item in items if item.terminology_id == terminology)
                yield BoundCodes(node.path, terminology, codes)


def _of_terms(path: str, root: CArchetypeRoot) -> Iterator[BoundCodes]:
    """Term bindings: ``[SNOMED-CT::364323006]`` or a URI that ends with the code."""
    for terminology, targets in sorted(root.term_bindings.items()):
        codes = tuple(sorted({_code(target) for target in targets.values()}))
        yield BoundCodes(path, terminology, codes, is_meaning=True)


def _code(target: str) -> str:
    return target.strip("[]").rpartition("::")[2].rpartition("/")[2]
