"""Compile a template source and its archetypes to an operational template.

Order of work on every archetype of the template: its ``use_node`` parts are written out, the rules are
applied, the slots are filled; at the end the whole tree is closed. A nested template is compiled in the
place of its archetype, and the rules of the outer template come on top. What a template may do is narrow:
what would widen an archetype, or names a path, code, unit or type that is not there, is a finding with
the line of the source.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from archetypes.aom.archetype import Archetype
from archetypes.aom.constraints import CArchetypeRoot, CComplexObject, CObject, TermDefinition, Terms
from archetypes.errors import MalformedPath, UnknownArchetype
from archetypes.findings import Finding, Severity
from archetypes.paths import PathSegment, RmPath
from archetypes.repository import ArchetypeRepository
from templates.beside import defaults, notes, view
from templates.closing import close
from templates.errors import InvalidTemplate
from templates.expansion import expand_internal_references
from templates.faults import Faults
from templates.narrowing import Narrowing
from templates.nesting import MAX_DEPTH, MAX_NESTED, Lookup, no_nested, places
from templates.operational import OperationalTemplate
from templates.opt_writer import content_hash
from templates.rules import apply_rules, with_fixed_name, with_subject
from templates.slots import Filler, fill
from templates.source import Item, Rule, Template
from templates.tree import edit_at
from templates.uncompiled import uncompiled


def compile_template(
    template: Template, repository: ArchetypeRepository, nested: Lookup = no_nested
) -> OperationalTemplate:
    """The operational template; ``nested`` finds the sources that its items name.

    Raises InvalidTemplate with all findings, each at a line of the source. Warnings do not stop it;
    :func:`template_findings` shows them.
    """
    compiled, findings = _compile(template, repository, nested)
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    if compiled is None or errors:
        raise InvalidTemplate(errors)
    return replace(compiled, content_hash=content_hash(compiled))


def template_findings(
    template: Template, repository: ArchetypeRepository, nested: Lookup = no_nested
) -> list[Finding]:
    """Everything that is wrong or doubtful about a template source."""
    return _compile(template, repository, nested)[1]


def _compile(
    template: Template, repository: ArchetypeRepository, nested: Lookup
) -> tuple[OperationalTemplate | None, list[Finding]]:
    compiler = _Compiler(template, repository, nested)
    faults = compiler.faults
    definition = compiler.archetype(template.definition)
    if definition is None:
        return None, faults.findings
    definition = close(definition, faults.at(template.definition.span, ""))
    placed = [] if compiler.is_too_nested else list(places(template, nested))
    compiled = OperationalTemplate(
        template_id=template.name,
        concept=template.definition.name or template.name,
        language=compiler.language,
        definition=definition,
        uid=template.id or None,
        description=template.description,
        annotations=notes(placed, definition, faults),
        defaults=defaults(placed, definition, compiler.language, faults),
        view=view(placed, definition, faults),
    )
    return compiled, faults.findings


class _Compiler:
    """One run: the template, the archetypes and what was found wrong."""

    def __init__(self, template: Template, repository: ArchetypeRepository, nested: Lookup) -> None:
        self._template = template
        self._repository = repository
        self.faults = Faults()
        self._lookup = nested
        self._within = [template.name]
        self._nested_so_far = 0
        self.language = template.language or self._root_language()

    @property
    def is_too_nested(self) -> bool:
        """True once more templates were nested than anybody writes."""
        return self._nested_so_far > MAX_NESTED

    def _root_language(self) -> str:
        try:
            return self._repository.get(self._template.definition.archetype_id).original_language
        except UnknownArchetype:
            return "en"

    def archetype(self, item: Item) -> CArchetypeRoot | None:
        """The archetype or nested template of ``item``, narrowed and filled; None if nobody knows it."""
        root = self._archetype(item) if item.template_id is None else self._nested(item)
        return None if root is None else self._narrowed(root, item)

    def _archetype(self, item: Item) -> CArchetypeRoot | None:
        faults = self.faults.at(item.span, item.path)
        try:
            archetype = self._repository.get(item.archetype_id)
        except UnknownArchetype:
            faults.error("template.unknown_archetype", found=item.archetype_id)
            return None
        refused = dict.fromkeys(uncompiled(archetype.definition))
        for code, found in refused:
            faults.error(code, found=found)
        if refused:
            return None
        return _root(archetype, expand_internal_references(archetype.definition, faults))

    def _nested(self, item: Item) -> CArchetypeRoot | None:
        template = self._nested_source(item, self.faults.at(item.span, item.path))
        if template is None:
            return None
        self._within.append(template.name)
        root = self.archetype(template.definition)
        self._within.pop()
        return None if root is None else replace(root, template_id=template.name)

    def _nested_source(self, item: Item, faults: Faults) -> Template | None:
        if self.is_too_nested:
            return None
        self._nested_so_far += 1
        template = self._lookup(item.template_id or "")
        if template is None:
            faults.error("template.unknown_template", found=item.template_id or "")
        elif template.name in self._within:
            faults.error("template.cyclic", found=" > ".join([*self._within, template.name]))
        elif template.definition.archetype_id != item.archetype_id:
            found = template.definition.archetype_id
            faults.error("template.other_archetype", expected=item.archetype_id, found=found)
        elif self.is_too_nested or len(self._within) > MAX_DEPTH:
            self._nested_so_far = MAX_NESTED + 1
            limits = f"at most {MAX_NESTED}, {MAX_DEPTH} deep"
            faults.error("template.too_many_nested", expected=limits, found=template.name)
        else:
            return template
        return None

    def _narrowed(self, root: CArchetypeRoot, item: Item) -> CArchetypeRoot:
        faults = self.faults.at(item.span, item.path)
        if item.name is not None:
            named = with_fixed_name(root, item.name, faults)
            root = named if isinstance(named, CArchetypeRoot) else root
        root, rubrics = apply_rules(root, item.rules, language=self.language, faults=self.faults)
        if item.subject is not None:
            root = with_subject(root, item.subject, Narrowing(frozenset(), faults, rubrics))
        return _with_rubrics(self._filled(root, item.items), rubrics, self.language)

    def _filled(self, root: CArchetypeRoot, items: tuple[Item, ...]) -> CArchetypeRoot:
        """``root`` with all items in their slots; items of one path are placed together."""
        places: dict[tuple[PathSegment, ...], list[Filler]] = {}
        for item in items:
            segments = self._slot_path(item)
            there = self._already_filled(root, segments, item)
            if there is not None:
                root = there
                continue
            filler = self.archetype(item)
            if filler is not None and segments and item.maximum != 0:
                places.setdefault(segments, []).append(Filler(item, filler))
        for segments, fillers in places.items():
            root = self._placed(root, segments, fillers)
        return root

    def _already_filled(
        self, root: CArchetypeRoot, segments: tuple[PathSegment, ...], item: Item
    ) -> CArchetypeRoot | None:
        """``root`` with the archetype narrowed that a nested template has put there; None if none is."""
        if root.template_id is None or item.template_id is not None or not segments:
            return None
        last = PathSegment(segments[-1].attribute, item.archetype_id, item.name)

        def edit(child: CObject, _: CComplexObject) -> tuple[CObject, ...]:
            if not isinstance(child, CArchetypeRoot):
                return (child,)
            narrowed = self._narrowed(child, replace(item, name=None))
            wanted = Rule(path="/", span=item.span, minimum=item.minimum, maximum=item.maximum)
            limited = apply_rules(narrowed, (wanted,), language=self.language, faults=self.faults)
            return (limited[0],)

        new = edit_at(root, (*segments[:-1], last), edit, root.terms)
        return new if isinstance(new, CArchetypeRoot) else None

    def _placed(
        self, root: CArchetypeRoot, segments: tuple[PathSegment, ...], fillers: list[Filler]
    ) -> CArchetypeRoot:
        item = fillers[0].item
        faults = self.faults.at(item.span, item.path)
        places = 0

        def edit(parent: CObject, _: CComplexObject) -> tuple[CObject, ...]:
            nonlocal places
            if not isinstance(parent, CComplexObject):
                return (parent,)
            places += 1
            return (fill(parent, segments[-1], fillers, faults),)

        if len(segments) == 1:
            new: CObject | None = edit(root, root)[0]
        else:
            new = edit_at(root, segments[:-1], edit, root.terms)
        if not isinstance(new, CArchetypeRoot):
            faults.error("template.unknown_path", found=item.path)
            return root
        if places == 0:
            faults.error("template.slot_closed", found=item.archetype_id)
        return new

    def _slot_path(self, item: Item) -> tuple[PathSegment, ...]:
        faults = self.faults.at(item.span, item.path)
        try:
            segments = RmPath.parse(item.path).segments
        except MalformedPath as error:
            faults.error("template.malformed_path", found=error.reason)
            return ()
        if not segments:
            faults.error("template.unknown_path", expected="the path of a slot", found=item.path)
        return segments


def _root(archetype: Archetype, definition: CComplexObject) -> CArchetypeRoot:
    return CArchetypeRoot(
        rm_type_name=definition.rm_type_name,
        occurrences=definition.occurrences,
        node_id=definition.node_id,
        span=definition.span,
        attributes=definition.attributes,
        archetype_id=archetype.archetype_id,
        terms=_trimmed(archetype.terminology.terms),
        term_bindings=archetype.terminology.term_bindings,
    )


def _trimmed(terms: Terms) -> Terms:
    """Texts without the line breaks that editors leave at their ends; XML readers drop them anyway."""
    return MappingProxyType(
        {
            language: MappingProxyType({code: _trimmed_term(term) for code, term in codes.items()})
            for language, codes in terms.items()
        }
    )


def _trimmed_term(term: TermDefinition) -> TermDefinition:
    text, description = term.text.strip(), term.description.strip()
    other = {key: value.strip() for key, value in term.other.items()}
    if (text, description, other) == (term.text, term.description, term.other):
        return term
    return TermDefinition(text, description, MappingProxyType(other))


def _with_rubrics(root: CArchetypeRoot, rubrics: Mapping[str, str], language: str) -> CArchetypeRoot:
    """Texts of codes from outside, kept as terms ``terminology::code`` in the template's language."""
    if not rubrics:
        return root
    own = dict(root.terms.get(language, {}))
    own.update(_definitions(rubrics))
    terms = MappingProxyType({**root.terms, language: MappingProxyType(own)})
    return replace(root, terms=terms)


def _definitions(rubrics: Mapping[str, str]) -> Iterator[tuple[str, TermDefinition]]:
    return ((code, TermDefinition(text=text)) for code, text in rubrics.items())
