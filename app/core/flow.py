"""The words of the review engine: states, verbs, quorums and conditions (domain.md 2.3)."""

from __future__ import annotations

from app.core.enums import Labelled


class FlowState(Labelled):
    """A flow definition: only a draft is edited, only the published one starts new runs."""

    DRAFT = "DRAFT", "Draft version"
    PUBLISHED = "PUBLISHED", "Published", "green"
    RETIRED = "RETIRED", "Retired"


class AssigneeKind(Labelled):
    """Who reviews at a step."""

    ROLE = "ROLE", "Holders of a role"
    GROUP = "GROUP", "Members of a group"
    USERS = "USERS", "Named users"
    UNIT_HEAD = "UNIT_HEAD", "Head of the document's unit"


class UnitMatch(Labelled):
    """How a reviewer's unit must relate to the document's unit."""

    ANY = "ANY", "Any unit"
    SAME = "SAME", "The document's unit"
    SAME_OR_ABOVE = "SAME_OR_ABOVE", "The document's unit or one above it"


class Quorum(Labelled):
    """How many reviewers of a step must approve."""

    ANY = "ANY", "Any one"
    ALL = "ALL", "All reviewers"
    SHARE = "SHARE", "A share"
    SEQUENCE = "SEQUENCE", "All, in sequence"


class Operator(Labelled):
    """How a condition compares a document's value with its own."""

    EQ = "EQ", "is"
    NE = "NE", "is not"
    GE = "GE", "at least"
    GT = "GT", "more than"
    LE = "LE", "at most"
    LT = "LT", "less than"
    IN = "IN", "is one of"
    NOT_IN = "NOT_IN", "is none of"
    UNDER = "UNDER", "belongs to"


class RunState(Labelled):
    """A document's way through one flow version; the first two are open."""

    RUNNING = "RUNNING", "In review", "orange"
    RETURNED = "RETURNED", "Returned for revision", "yellow"
    APPROVED = "APPROVED", "Reviewed", "green"
    REJECTED = "REJECTED", "Rejected", "red"
    WITHDRAWN = "WITHDRAWN", "Withdrawn"
    TERMINATED = "TERMINATED", "Terminated", "red"

    @property
    def is_open(self) -> bool:
        return self in (RunState.RUNNING, RunState.RETURNED)


class TaskState(Labelled):
    """What one person has to do at a step: `WAITING` for somebody else's turn first."""

    OPEN = "OPEN", "To do", "orange"
    WAITING = "WAITING", "Waiting for others"
    DONE = "DONE", "Done", "green"
    CANCELLED = "CANCELLED", "Cancelled"


class TaskKind(Labelled):
    """Why a person has the task: by the step itself, or because a reviewer asked for it."""

    STEP = "STEP", "Reviewer of the step"
    BEFORE = "BEFORE", "Signer added before"
    PARALLEL = "PARALLEL", "Signer added beside"
    AFTER = "AFTER", "Signer added after"
    DELEGATED = "DELEGATED", "Delegated"


class SkipReason(Labelled):
    """Why a run passed by a step."""

    CONDITION = "CONDITION", "The step's condition does not apply"
    NOBODY = "NOBODY", "Nobody can act at this optional step"
    SWITCHED_OFF = "SWITCHED_OFF", "The step is switched off by a parameter"


class Verb(Labelled):
    """Everything that can happen to a run; the value is the verb of URLs and permissions."""

    SUBMIT = "submit", "Submit", "blue"
    RESUBMIT = "resubmit", "Submit again", "blue"
    APPROVE = "approve", "Approve", "green"
    REPLY = "reply", "Answer the delegator", "teal"
    RETURN = "return", "Return for revision", "yellow"
    REJECT = "reject", "Reject", "red"
    WITHDRAW = "withdraw", "Withdraw"
    TAKE_BACK = "take_back", "Take back"
    TRANSFER = "transfer", "Transfer", "azure"
    DELEGATE = "delegate", "Delegate", "azure"
    ADD_SIGNER = "add_signer", "Add a signer", "azure"
    COPY_TO = "copy_to", "Copy to", "azure"
    URGE = "urge", "Urge", "orange"
    SAVE_OPINION = "save_opinion", "Save the opinion"
    TERMINATE = "terminate", "Terminate", "red"
    REASSIGN = "reassign", "Reassign", "purple"
    SKIP = "skip", "Skip the step"

    @property
    def is_review(self) -> bool:
        """Does it count as acting on the document (nobody does that twice in one round)?"""
        return self in (Verb.APPROVE, Verb.REPLY, Verb.RETURN, Verb.REJECT)

    @property
    def is_by_reviewer(self) -> bool:
        """Is it done with a task, by whoever has it or his agent?"""
        return self.is_review or self in (
            Verb.TAKE_BACK,
            Verb.TRANSFER,
            Verb.DELEGATE,
            Verb.ADD_SIGNER,
            Verb.COPY_TO,
        )


class Box(Labelled):
    """The four lists of the task centre."""

    TODO = "todo", "To do"
    DONE = "done", "Done"
    STARTED = "started", "Started by me"
    COPIED = "copied", "Copied to me"


class RemarkState(Labelled):
    """How far a reviewer's remark is: the unit answers, a reviewer settles it."""

    OPEN = "OPEN", "Not answered", "orange"
    ANSWERED = "ANSWERED", "Answered", "blue"
    SETTLED = "SETTLED", "Settled", "green"
