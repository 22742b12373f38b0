"""What can go wrong with ids of a subject, and with EHRs that are joined (statuses: see ``cdr.errors``).

CdrError
├── EhrJoined              410  the EHR is part of another one now (carries its id)
├── NotFound
│   ├── NotJoined               a split of an EHR that is not joined
│   └── UnknownSubjectId        the EHR has no such id
└── Conflict
    ├── JoinedSince             a split of an EHR whose new EHR was itself joined into another
    ├── JoinWithItself
    ├── RemovalUnderWay         what a withdrawal of consent removes is not gone yet
    ├── SubjectFixed            an EHR with a national number does not become another person's
    └── SubjectIdInForce        the id that EHR_STATUS names is changed by EHR_STATUS
"""

from __future__ import annotations

from cdr.errors import CdrError, Conflict, NotFound


class EhrJoined(CdrError):
    """The EHR was joined into another, for both are of one woman; ``into`` is the id to use from now on."""

    code = "ehr.joined"

    def __init__(self, ehr_id: str, into: str) -> None:
        super().__init__(f"EHR {ehr_id} is part of EHR {into} now; use that id")
        self.ehr_id = ehr_id
        self.into = into


class NotJoined(NotFound):
    """A split of an EHR that is not joined into this one."""

    code = "ehr.not_joined"

    def __init__(self, ehr_id: str, into: str) -> None:
        super().__init__(f"no EHR {ehr_id} is joined into EHR {into}")
        self.ehr_id = ehr_id


class UnknownSubjectId(NotFound):
    """The EHR has no such id of its subject; the message leaves it out."""

    code = "subject.no_such_id"

    def __init__(self, namespace: str) -> None:
        super().__init__(f"the EHR has no such id in namespace {namespace}")
        self.namespace = namespace


class JoinedSince(Conflict):
    """Joins are undone in the reverse order."""

    code = "ehr.joined_since"

    def __init__(self, ehr_id: str, since: str) -> None:
        super().__init__(f"EHR {ehr_id} came here with EHR {since}, which must be split off first")
        self.ehr_id = ehr_id
        self.since = since


class JoinWithItself(Conflict):
    """An EHR cannot be joined with itself."""

    code = "ehr.join_with_itself"

    def __init__(self, ehr_id: str) -> None:
        super().__init__(f"EHR {ehr_id} cannot be joined with itself")
        self.ehr_id = ehr_id


class RemovalUnderWay(Conflict):
    """What a withdrawal of consent removes must be gone before the EHR is joined."""

    code = "ehr.removal_under_way"

    def __init__(self, ehr_id: str) -> None:
        super().__init__(f"what she withdrew is still being removed from EHR {ehr_id}; try again later")
        self.ehr_id = ehr_id


class SubjectIdInForce(Conflict):
    """The id that EHR_STATUS names cannot be taken away beside it."""

    code = "subject.id_in_force"

    def __init__(self, namespace: str) -> None:
        super().__init__(f"EHR_STATUS names this id in namespace {namespace}; update EHR_STATUS")
        self.namespace = namespace


class SubjectFixed(Conflict):
    """A national number in force is replaced by no other id: that would hand the record to somebody else."""

    code = "subject.fixed"

    def __init__(self, namespace: str) -> None:
        super().__init__(
            f"the subject has a number in namespace {namespace}, which stays; "
            "two records of one person are joined by the operator"
        )
        self.namespace = namespace
