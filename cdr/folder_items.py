"""What the folders of a directory refer to, and a directory without what its reader may not know. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cdr.versions import normal_object_id, text_at

Folder = Mapping[str, Any]


def named_objects(folder: Folder) -> frozenset[str]:
    """The ids of the objects that a folder and all below it refer to."""
    return frozenset(filter(None, _names(folder)))


def _names(folder: Folder) -> Iterator[str]:
    for item in folder.get("items") or ():
        yield _object_of(item)
    for below in folder.get("folders") or ():
        yield from _names(below)


def without_items(folder: Folder, hidden: frozenset[str]) -> Folder:
    """A folder that refers to none of these objects; itself if it never did."""
    if not hidden & named_objects(folder):
        return folder
    items = [item for item in folder.get("items") or () if _object_of(item) not in hidden]
    below = [without_items(each, hidden) for each in folder.get("folders") or ()]
    rest = {name: value for name, value in folder.items() if name not in ("items", "folders")}
    return rest | ({"items": items} if items else {}) | ({"folders": below} if below else {})


def _object_of(item: Any) -> str:
    """The object that an OBJECT_REF is to, whichever version it names."""
    return normal_object_id((text_at(item, "id", "value") or "").partition("::")[0])
