"""What can go wrong in a use case, as a tree; ``api`` maps the second level to an HTTP status.

Errors of one subject lie with it: those of events in ``cdr.events``.

CdrError
├── BadRequest              400  the request makes no sense
│   ├── MalformedVersionId       not object::system::version
│   ├── BranchNotSupported       a version id with a branch, on a write
│   ├── TemplateMismatch         an update under another template
│   ├── MissingTemplateId        a composition that does not name its template
│   ├── AlreadyDeleted           deletion of a deleted object
│   ├── BadContribution          a contribution, or a version in it, that makes no sense
│   └── MalformedName            not the name or the version of a stored query
├── NotAllowed              403  the access decision said no (carries the reason)
├── NotFound                404
│   ├── UnknownEhr  UnknownSubject  UnknownObject  UnknownVersion
│   ├── UnknownContribution  UnknownDirectory  UnknownFolder  UnknownQuery  UnknownTag
│   ├── UnknownCodeList          no such list, or no release of it on that day
│   └── TemplateNotFound         asked for by name
├── Conflict                409
│   ├── EhrExists  SubjectExists  ObjectExists  TemplateExists  ContributionExists
│   ├── DirectoryExists  QueryExists  CodeListExists
│   ├── LifecycleConflict        no way from the state of the latest version to the one asked for
│   ├── RepeatErased             what the repeated request made is erased
│   ├── AlreadyCommitted         a repeated request; the use case answers as the first time
│   ├── EhrNotModifiable         is_modifiable is false
│   ├── EhrClosed                being erased
│   ├── ObjectDeleted            an update of a deleted object
│   └── NotLatest                deletion of a version that is not the latest
├── Gone                    410
├── PreconditionFailed      412
│   ├── VersionConflict          stale If-Match (carries the latest version's id)
│   └── UidMismatch              the body carries another object's uid
├── TooLarge                413
├── Unprocessable           422  carries findings
│   ├── InvalidComposition  InvalidTemplate
│   ├── InvalidEhrStatus  InvalidDirectory   400: ITS-REST has no 422 for them
│   ├── RepeatMismatch           an Idempotency-Key that was used for something else
│   ├── UnknownTemplate          the template that a composition names is not published
│   └── RefusedIdentifier        real-looking in development, synthetic in production
├── QueryTimeout            408
├── QueryNotSupported       501  parsed but not executed (carries findings)
├── KindNotSupported        501  a kind of template that is not taken yet
├── StoreUnavailable        503  the database does not answer; try again
├── DatabaseMissing              no mongod to be found or started (at start only)
└── DataFolderInUse              another server works on the data folder (at start only)
"""

from __future__ import annotations

from collections.abc import Sequence

from archetypes.errors import HelsekortError
from archetypes.findings import Finding
from validators.form_places import FormPlaces


class CdrError(HelsekortError):
    """Base of the errors of use cases; ``findings`` is empty unless somebody's data is wrong."""

    code = "cdr"
    findings: tuple[Finding, ...] = ()


class BadRequest(CdrError):
    """A request that makes no sense as it stands."""

    code = "request.bad"


class MalformedVersionId(BadRequest):
    """A text that is not ``object_id::system_id::version``."""

    code = "version.malformed"

    def __init__(self, text: str) -> None:
        super().__init__(f"{text!r} is not a version id (object_id::system_id::version)")
        self.text = text


class BranchNotSupported(BadRequest):
    """A write that names a branch version."""

    code = "version.branch"

    def __init__(self, text: str) -> None:
        super().__init__(f"{text} names a branch; only trunk versions are written")
        self.text = text


class TemplateMismatch(BadRequest):
    """An update whose composition names another template than its predecessor."""

    code = "composition.other_template"

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(f"the object was stored under template {expected}, not {found}")
        self.expected = expected
        self.found = found


class MissingTemplateId(BadRequest):
    """A composition without archetype_details/template_id/value."""

    code = "composition.no_template"

    def __init__(self) -> None:
        super().__init__("the composition does not name its template: archetype_details/template_id/value")


class AlreadyDeleted(BadRequest):
    """A deletion of an object that is deleted already."""

    code = "version.already_deleted"

    def __init__(self, uid: str) -> None:
        super().__init__(f"{uid} is deleted already")
        self.uid = uid


class BadContribution(BadRequest):
    """A contribution, or a version in it, that makes no sense; ``path`` is its place in the body."""

    code = "contribution.malformed"

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path or '/'}: {reason}")
        self.findings = (Finding(self.code, path, params={"reason": reason}),)


class MalformedName(BadRequest):
    """A text that names no stored query, or no version of one."""

    code = "query.name_malformed"


class NotAllowed(CdrError):
    """The access decision said no; ``code`` says by which rule."""

    code = "access.denied"

    def __init__(self, action: str, reason: str, code: str = "") -> None:
        super().__init__(f"{action} is not allowed: {reason}")
        self.action = action
        self.reason = reason
        self.code = code or type(self).code


class NotFound(CdrError):
    """What was asked for by name is not there."""

    code = "not_found"


class UnknownEhr(NotFound):
    """No EHR with this id."""

    code = "ehr.unknown"

    def __init__(self, ehr_id: str) -> None:
        super().__init__(f"no EHR {ehr_id}")
        self.ehr_id = ehr_id


class UnknownSubject(NotFound):
    """No EHR for this subject; the message leaves the identifier out, for it may be a national one."""

    code = "subject.unknown"

    def __init__(self, namespace: str) -> None:
        super().__init__(f"no EHR for this subject in namespace {namespace}")
        self.namespace = namespace


class UnknownObject(NotFound):
    """No such versioned object in this EHR."""

    code = "object.unknown"

    def __init__(self, object_id: str) -> None:
        super().__init__(f"no object {object_id} in this EHR")
        self.object_id = object_id


class UnknownVersion(NotFound):
    """No such version of the object, or none at the time asked for."""

    code = "version.unknown"

    def __init__(self, version: str) -> None:
        super().__init__(f"no version {version}")
        self.version = version


class UnknownContribution(NotFound):
    """No such contribution in this EHR."""

    code = "contribution.unknown"

    def __init__(self, uid: str) -> None:
        super().__init__(f"no contribution {uid} in this EHR")
        self.uid = uid


class UnknownDirectory(NotFound):
    """The EHR has no directory, or had none at the time asked for."""

    code = "directory.unknown"

    def __init__(self, ehr_id: str) -> None:
        super().__init__(f"EHR {ehr_id} has no directory, or had none then")
        self.ehr_id = ehr_id


class UnknownFolder(NotFound):
    """No folder at this path of names."""

    code = "directory.no_such_folder"

    def __init__(self, path: str) -> None:
        super().__init__(f"the directory has no folder {path}")
        self.path = path


class UnknownQuery(NotFound):
    """No stored query of this name and version."""

    code = "query.unknown"

    def __init__(self, name: str, version: str) -> None:
        super().__init__(f"no stored query {name}{'/' + version if version else ''}")
        self.name = name
        self.version = version


class UnknownTag(NotFound):
    """The object has no tag with this key."""

    code = "tag.unknown"

    def __init__(self, key: str) -> None:
        super().__init__(f"no tag {key}")
        self.key = key


class UnknownCodeList(NotFound):
    """No such code system or value set, or no release of it."""

    code = "code_list.unknown"

    def __init__(self, name: str) -> None:
        super().__init__(f"no code list {name}")
        self.name = name


class TemplateNotFound(NotFound):
    """No template of this id is published."""

    code = "template.not_found"

    def __init__(self, template_id: str) -> None:
        super().__init__(f"no template {template_id}")
        self.template_id = template_id


class Conflict(CdrError):
    """The request is sound, the state of the record forbids it."""

    code = "conflict"


class EhrExists(Conflict):
    """The EHR id is in use."""

    code = "ehr.exists"

    def __init__(self, ehr_id: str) -> None:
        super().__init__(f"the EHR id {ehr_id} is in use")
        self.ehr_id = ehr_id


class SubjectExists(Conflict):
    """The subject has an EHR; the message leaves the identifier out."""

    code = "subject.exists"

    def __init__(self, namespace: str) -> None:
        super().__init__(f"this subject in namespace {namespace} has an EHR already")
        self.namespace = namespace


class ObjectExists(Conflict):
    """A uid chosen by the client is in use."""

    code = "object.exists"

    def __init__(self, object_id: str) -> None:
        super().__init__(f"the object id {object_id} is in use")
        self.object_id = object_id


class TemplateExists(Conflict):
    """A published template never changes."""

    code = "template.exists"

    def __init__(self, template_id: str) -> None:
        super().__init__(f"template {template_id} is published already")
        self.template_id = template_id


class ContributionExists(Conflict):
    """The uid that the client chose for a contribution is in use."""

    code = "contribution.exists"

    def __init__(self, uid: str) -> None:
        super().__init__(f"the contribution uid {uid} is in use")
        self.uid = uid


class DirectoryExists(Conflict):
    """An EHR has one directory."""

    code = "directory.exists"

    def __init__(self, ehr_id: str) -> None:
        super().__init__(f"EHR {ehr_id} has a directory already; update that")
        self.ehr_id = ehr_id


class QueryExists(Conflict):
    """A stored query never changes."""

    code = "query.exists"

    def __init__(self, name: str, version: str) -> None:
        super().__init__(f"query {name}/{version} is stored already")
        self.name = name
        self.version = version


class CodeListExists(Conflict):
    """That version of the code list is loaded, with other content."""

    code = "code_list.exists"

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is loaded and says something else: give the new content its own version")
        self.name = name


class LifecycleConflict(Conflict):
    """There is no way from the lifecycle state of the latest version to the one asked for."""

    code = "version.lifecycle"

    def __init__(self, before: str, wanted: str) -> None:
        super().__init__(f"a version that is {before} cannot be followed by one that is {wanted}")
        self.before = before
        self.wanted = wanted


class RepeatErased(Conflict):
    """What a repeated request made the first time was erased since."""

    code = "idempotency.erased"

    def __init__(self) -> None:
        super().__init__("what this Idempotency-Key made was erased since; nothing is made again")


class EhrNotModifiable(Conflict):
    """EHR_STATUS.is_modifiable is false: nothing but the status may be written."""

    code = "ehr.not_modifiable"

    def __init__(self, ehr_id: str) -> None:
        super().__init__(f"EHR {ehr_id} is not modifiable")
        self.ehr_id = ehr_id


class EhrClosed(Conflict):
    """The EHR is being erased."""

    code = "ehr.closed"

    def __init__(self, ehr_id: str) -> None:
        super().__init__(f"EHR {ehr_id} is closed")
        self.ehr_id = ehr_id


class ObjectDeleted(Conflict):
    """An update of a deleted object."""

    code = "version.deleted"

    def __init__(self, uid: str) -> None:
        super().__init__(f"{uid} is deleted")
        self.uid = uid


class NotLatest(Conflict):
    """A deletion that names a version which is not the latest; ``latest`` is its full id."""

    code = "version.not_latest"

    def __init__(self, latest: str) -> None:
        super().__init__(f"not the latest version; that is {latest}")
        self.latest = latest


class Gone(CdrError):
    """What was asked for was there once."""

    code = "gone"


class PreconditionFailed(CdrError):
    """What the client believed about the record is not so."""

    code = "precondition"


class VersionConflict(PreconditionFailed):
    """The preceding version is not the latest; ``latest`` is the full id of the one that is."""

    code = "version.stale"

    def __init__(self, latest: str) -> None:
        super().__init__(f"the preceding version is not the latest; that is {latest}")
        self.latest = latest


class UidMismatch(PreconditionFailed):
    """The body carries the uid of another object, or one that this system cannot give."""

    code = "composition.other_uid"

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(f"the composition's uid is {found}, expected {expected}")
        self.expected = expected
        self.found = found


class TooLarge(CdrError):
    """More bytes than a document may have, or more of something else than are taken at once."""

    code = "request.too_large"

    def __init__(self, size: int, limit: int, unit: str = "bytes") -> None:
        super().__init__(f"{size} {unit}, at most {limit} are taken")
        self.size = size
        self.limit = limit


class Unprocessable(CdrError):
    """Data that was understood and refused; ``findings`` say why, all of them."""

    code, what = "unprocessable", "data"

    def __init__(self, message: str = "", findings: Sequence[Finding] = ()) -> None:
        super().__init__(message or f"the {self.what} has {len(findings)} faults")
        self.findings = tuple(findings)


class InvalidComposition(Unprocessable):
    """A composition that its template, or the reference model, refuses."""

    code, what = "composition.invalid", "composition"

    def __init__(self, findings: Sequence[Finding], places: FormPlaces) -> None:
        super().__init__(findings=findings)
        self.places = places  # of the findings in the template's form


class InvalidEhrStatus(Unprocessable):
    """An EHR_STATUS that the reference model refuses."""

    code, what = "ehr_status.invalid", "EHR_STATUS"


class InvalidDirectory(Unprocessable):
    """A FOLDER that the reference model refuses, or one with two sub-folders of one name."""

    code, what = "directory.invalid", "FOLDER"


class RepeatMismatch(Unprocessable):
    """An Idempotency-Key that was used for another request."""

    code = "idempotency.other_request"

    def __init__(self) -> None:
        super().__init__("this Idempotency-Key was used for another request within the last 7 days")


class InvalidTemplate(Unprocessable):
    """A template that cannot be published."""

    code = "template.invalid"


class UnknownTemplate(Unprocessable):
    """The template that a composition names is not published here."""

    code = "template.unknown"

    def __init__(self, template_id: str) -> None:
        super().__init__(
            f"template {template_id} is not published",
            [Finding(self.code, "/archetype_details/template_id/value", found=template_id)],
        )
        self.template_id = template_id


class RefusedIdentifier(Unprocessable):
    """National ids of real people in development, synthetic ones in production.

    Neither the message nor the findings repeat the number.
    """

    code = "identifier.refused"

    def __init__(self, reason: str, findings: Sequence[Finding]) -> None:
        super().__init__(reason, findings)


class QueryTimeout(CdrError):
    """A query took longer than it may; ``seconds`` is the limit."""

    code = "query.timeout"

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the query took longer than {seconds:g} s")
        self.seconds = seconds


class QueryNotSupported(CdrError):
    """A query in the language that is not executed yet; ``findings`` name the constructs."""

    code = "aql.not_supported"

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("; ".join(f"{finding.code} {finding.found}".strip() for finding in findings))
        self.findings = tuple(findings)


class KindNotSupported(CdrError):
    """What this server does not make of templates of ADL 2."""

    code = "template.kind_not_supported"

    def __init__(self, kind: str) -> None:
        super().__init__(
            f"{kind} of ADL 2 templates are not made: for compositions send an OPT 1.4 to adl1.4"
        )
        self.kind = kind


class StoreUnavailable(CdrError):
    """The database does not answer; nothing is known to be stored. Try again."""

    code = "store.unavailable"

    def __init__(self, reason: str) -> None:
        super().__init__(f"the database does not answer: {reason}")
        self.reason = reason


class DatabaseMissing(CdrError):
    """No mongod was found, or it did not start; the message says what to do."""

    code = "store.missing"


class DataFolderInUse(CdrError):
    """Another server works on the data folder."""

    code = "store.in_use"

    def __init__(self, folder: str, holder: str) -> None:
        super().__init__(
            f"{folder} is in use by another server (process {holder}); stop it or choose another --data"
        )
        self.folder = folder


class AlreadyCommitted(Conflict):
    """The key of a repeated request is stored: the use case gives the first answer again.

    A client sees it only if the first answer was forgotten in this very moment.
    """

    code = "idempotency.repeated"

    def __init__(self) -> None:
        super().__init__("this request was carried out before")
