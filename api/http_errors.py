"""What can be wrong with a request before any use case has seen it.

HelsekortError
└── RequestError
    ├── MalformedRequest     a header, parameter or body that cannot be read (400)
    ├── RefusedContribution  a version in it was understood and refused (400, with its code and findings)
    ├── NotAcceptable        no representation that the client accepts (406)
    ├── BodyTooLarge         more bytes than the server takes (413)
    └── UnsupportedMediaType a body in a form that the server does not read (415)
"""

from __future__ import annotations

from archetypes.errors import HelsekortError
from cdr.errors import InvalidComposition, Unprocessable


class RequestError(HelsekortError):
    """Base of the faults of an HTTP request."""

    code = "request"


class MalformedRequest(RequestError):
    """A header, a parameter or a body that cannot be read; ``code`` says which rule it breaks."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class RefusedContribution(RequestError):
    """A contribution with a version that was refused: ITS-REST has 400 for it where a composition has 422."""

    def __init__(self, refused: Unprocessable) -> None:
        super().__init__(str(refused))
        self.code = refused.code
        self.findings = refused.findings
        self.places = refused.places if isinstance(refused, InvalidComposition) else None


class NotAcceptable(RequestError):
    """The client accepts none of the media types that this resource has."""

    code = "media_type.not_acceptable"

    def __init__(self, accept: str, offered: tuple[str, ...]) -> None:
        super().__init__(f"cannot answer as {accept!r}; this resource has {' and '.join(offered)}")
        self.accept = accept
        self.offered = offered


class BodyTooLarge(RequestError):
    """A body of more bytes than ``limit``."""

    code = "body.too_large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"the body is larger than the limit of {limit} bytes")
        self.limit = limit


class UnsupportedMediaType(RequestError):
    """A body in a media type, character set or compression that this route does not read."""

    code = "media_type.unsupported"

    def __init__(self, found: str, expected: str) -> None:
        super().__init__(f"cannot read a body of {found}; send {expected}")
        self.found = found
        self.expected = expected
