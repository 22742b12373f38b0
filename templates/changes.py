"""What changed between two operational templates, node by node (docs/modelling.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from archetypes.aom.constraints import CArchetypeRoot
from archetypes.changes import Change, change
from archetypes.changes.texts import annotation_changes, binding_changes, language_changes, metadata_changes
from archetypes.changes.tree import Tree, tree_changes
from templates.operational import OperationalTemplate
from templates.web_template import to_web_template

Changes = Iterator[Change]


def classify_template_change(old: OperationalTemplate, new: OperationalTemplate) -> list[Change]:
    """Every difference between two templates, node by node; empty if they say the same.

    Besides the nodes themselves the FLAT paths are compared: a second event, for example, puts its
    history's event into the paths of everything below.
    """
    nodes = list(tree_changes(_tree(old), _tree(new)))
    return [*_identity(old, new), *nodes, *_flat_path_changes(old, new, nodes), *_around(old, new)]


def _tree(template: OperationalTemplate) -> Tree:
    return Tree(definition=template.definition, language=template.language, terms=template.definition.terms)


def _identity(old: OperationalTemplate, new: OperationalTemplate) -> Changes:
    if old.template_id != new.template_id:
        yield change("template.id_changed", "", old.template_id, new.template_id)
    if old.language != new.language:
        yield change("language.default_changed", "", old.language, new.language)
    mine, theirs = old.definition.archetype_id, new.definition.archetype_id
    if mine != theirs:
        # The root archetype is what compositions name; a new version of it is a new template.
        yield change("archetype.id_changed", "", mine, theirs)


def _around(old: OperationalTemplate, new: OperationalTemplate) -> Changes:
    before, after = _roots(old), _roots(new)
    yield from language_changes(_languages(before), _languages(after))
    for path, root in before.items():
        if path in after:
            yield from binding_changes(root.term_bindings, after[path].term_bindings, path)
    yield from annotation_changes(old.annotations, new.annotations)
    yield from annotation_changes(old.view, new.view)
    yield from metadata_changes("default.changed", old.defaults, new.defaults)
    yield from metadata_changes("description.changed", old.description, new.description)
    facts = ("concept", "uid")
    yield from metadata_changes(
        "metadata.changed",
        {name: getattr(old, name) or "" for name in facts},
        {name: getattr(new, name) or "" for name in facts},
    )


def _roots(template: OperationalTemplate) -> dict[str, CArchetypeRoot]:
    return {
        node.path: node.constraint for node in template.nodes() if isinstance(node.constraint, CArchetypeRoot)
    }


def _languages(roots: Mapping[str, CArchetypeRoot]) -> frozenset[str]:
    return frozenset(language for root in roots.values() for language in root.terms)


# --- FLAT paths -------------------------------------------------------------------------------------

_RENAMING = frozenset(
    {"name.changed", "path.renamed", "archetype.version_changed", "name.fixed", "name.freed"}
)


def _flat_path_changes(old: OperationalTemplate, new: OperationalTemplate, known: list[Change]) -> Changes:
    """Nodes whose FLAT path is another although neither they nor what is above them was renamed."""
    before, after = flat_paths(old), flat_paths(new)
    told = [each.path for each in known if each.code in _RENAMING]
    for path, flat in before.items():
        explained = any(path == renamed or path.startswith(f"{renamed}/") for renamed in told)
        if not explained and after.get(path, flat) != flat:
            told.append(path)
            yield change("flat_path.changed", path, flat, after[path])


def flat_paths(template: OperationalTemplate) -> dict[str, str]:
    """AQL path -> FLAT path of each node of the web template; where two share a path, the first."""
    found: dict[str, str] = {}
    _collect(to_web_template(template)["tree"], "", found)
    return found


def _collect(node: dict[str, Any], above: str, found: dict[str, str]) -> None:
    here = f"{above}/{node['id']}" if above else str(node["id"])
    found.setdefault(node["aqlPath"], here)
    for child in node.get("children", ()):
        _collect(child, here, found)
