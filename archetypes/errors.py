"""The root of all our errors, and those of this package.

    HelsekortError
    ├── AdlSyntaxError      text is no ADL (line, column, caret)
    ├── UnknownArchetype    no archetype with this id in the repository
    ├── CannotFlatten       a specialisation that does not fit its parent (archetype, path)
    ├── NotRmData           canonical JSON that is no object of the reference model (path)
    ├── MalformedXml        bytes are not XML that we read (line, column)
    ├── MalformedJson       bytes are not a JSON object within our limits (line, column)
    └── MalformedPath       text is not an openEHR path

Each error carries a stable ``code`` and, as attributes, the values of its message.
"""

from __future__ import annotations


class HelsekortError(Exception):
    """Base of every error that we raise on purpose."""

    code = "error"


class MalformedPath(HelsekortError):
    """A text that is not an openEHR path."""

    code = "path.malformed"

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(f"{text!r} is not an openEHR path: {reason}")
        self.text = text
        self.reason = reason


class AdlSyntaxError(HelsekortError):
    """A text that is neither ADL 1.4 nor ADL 2; ``line`` and ``column`` count from 1."""

    code = "adl.syntax"

    def __init__(self, message: str, *, source: str, line: int, column: int, excerpt: str) -> None:
        caret = f"\n{' ' * (column - 1)}^" if column <= len(excerpt) + 1 else ""
        super().__init__(f"{source}:{line}:{column}: {message}\n{excerpt}{caret}")
        self.message = message
        self.source = source
        self.line = line
        self.column = column


class UnknownArchetype(HelsekortError):
    """An archetype id that the repository does not hold."""

    code = "archetype.unknown"

    def __init__(self, archetype_id: str) -> None:
        super().__init__(f"no archetype {archetype_id} in the repository")
        self.archetype_id = archetype_id


class CannotFlatten(HelsekortError):
    """A specialised archetype that cannot be laid over its parent; ``path`` is where it fails."""

    code = "archetype.not_flattened"

    def __init__(self, archetype_id: str, path: str, reason: str) -> None:
        super().__init__(f"{archetype_id} cannot be flattened at {path or '/'}: {reason}")
        self.archetype_id = archetype_id
        self.path = path
        self.reason = reason


class NotRmData(HelsekortError):
    """Canonical JSON that is no object of the reference model; ``path`` has zero-based indexes."""

    code = "rm.not_readable"

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path or '/'}: {reason}")
        self.path = path
        self.reason = reason


class MalformedJson(HelsekortError):
    """Bytes that are not a JSON object within our limits.

    ``code`` is ``json.syntax``, ``json.too_deep``, ``json.too_large``, ``json.not_object`` or
    ``json.duplicate_key``; ``line`` and ``column`` count from 1 and are None where the place is not known.
    """

    code = "json.syntax"

    def __init__(
        self, code: str, message: str, *, line: int | None = None, column: int | None = None
    ) -> None:
        place = "" if line is None else f" (line {line}, column {column})"
        super().__init__(f"not readable as JSON: {message}{place}")
        self.code = code
        self.message = message
        self.line = line
        self.column = column


class MalformedXml(HelsekortError):
    """Bytes that are not XML within our limits, or not XML of the reference model.

    ``code`` is ``xml.syntax``, ``xml.doctype``, ``xml.too_large``, ``xml.type``, ``xml.element`` or
    ``xml.value``; ``line`` and ``column`` count from 1.
    """

    code = "xml.syntax"

    def __init__(self, code: str, message: str, *, line: int = 1, column: int = 1) -> None:
        super().__init__(f"not readable as XML: {message} (line {line}, column {column})")
        self.code = code
        self.message = message
        self.line = line
        self.column = column
