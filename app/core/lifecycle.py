"""How far a project has come: the eight marks of its life, and the funnel's milestones (domain.md 4)."""

from __future__ import annotations

from app.core.enums import ConstructionStatus, Labelled, Stage


class LifeStep(Labelled):
    """The eight parts of a project's full life, as every page draws them (requirements.txt, 项目总览)."""

    DECLARATION = "DECLARATION", "Declaration"
    SCHEME = "SCHEME", "Scheme review"
    PROCUREMENT = "PROCUREMENT", "Procurement filing"
    CONTRACT = "CONTRACT", "Contract filing"
    PROGRESS = "PROGRESS", "Project progress"
    PAYMENT = "PAYMENT", "Fund disbursement"
    ACCEPTANCE = "ACCEPTANCE", "Project acceptance"
    ASSETS = "ASSETS", "Asset registration"


LIFE_STEPS: tuple[LifeStep, ...] = tuple(LifeStep)

_CURRENT: dict[Stage, LifeStep] = {
    Stage.DECLARED: LifeStep.DECLARATION,
    Stage.PLANNED: LifeStep.SCHEME,
    Stage.SCHEME: LifeStep.SCHEME,
    Stage.APPROVED: LifeStep.PROCUREMENT,
    Stage.PROCURED: LifeStep.CONTRACT,
    Stage.CONTRACTED: LifeStep.PROGRESS,
    Stage.TRIAL: LifeStep.PAYMENT,
    Stage.AWAITING: LifeStep.ACCEPTANCE,
    Stage.ACCEPTED: LifeStep.ASSETS,
    Stage.OPERATION: LifeStep.ASSETS,
}


def current_step(stage: Stage) -> LifeStep | None:
    """What the project is at; None when its life has ended, well or not."""
    return _CURRENT.get(stage)


def steps_done(stage: Stage) -> int:
    """How many of the eight lie behind the project; none for one that was refused or terminated."""
    step = current_step(stage)
    if step is not None:
        return LIFE_STEPS.index(step)
    return len(LIFE_STEPS) if stage is Stage.CLOSED else 0


_ORDER: tuple[Stage, ...] = (
    Stage.DECLARED,
    Stage.PLANNED,
    Stage.SCHEME,
    Stage.APPROVED,
    Stage.PROCURED,
    Stage.CONTRACTED,
    Stage.TRIAL,
    Stage.AWAITING,
    Stage.ACCEPTED,
    Stage.OPERATION,
    Stage.CLOSED,
)


STATUSES: dict[Stage, tuple[ConstructionStatus, ...]] = {
    Stage.DECLARED: (ConstructionStatus.DECLARING,),
    Stage.PLANNED: (ConstructionStatus.PLANNED,),
    Stage.SCHEME: (ConstructionStatus.SCHEME_REVIEW,),
    Stage.APPROVED: (ConstructionStatus.TO_PROCURE,),
    Stage.PROCURED: (ConstructionStatus.TO_CONTRACT,),
    Stage.CONTRACTED: (ConstructionStatus.BUILDING, ConstructionStatus.DELAYED),
    Stage.TRIAL: (ConstructionStatus.TRIAL_RUN,),
    Stage.AWAITING: (ConstructionStatus.TO_ACCEPT,),
    Stage.ACCEPTED: (ConstructionStatus.ACCEPTED,),
    Stage.OPERATION: (ConstructionStatus.OPERATING,),
    Stage.CLOSED: (ConstructionStatus.CLOSED,),
    Stage.TERMINATED: (ConstructionStatus.TERMINATED,),
    Stage.REJECTED: (ConstructionStatus.NOT_APPROVED,),
}
"""The construction statuses a project can show at each stage, the usual one first (domain.md section 4)."""


def stage_of(status: ConstructionStatus) -> Stage:
    """The one stage at which a project shows this status."""
    return next(stage for stage, statuses in STATUSES.items() if status in statuses)


class Milestone(Labelled):
    """What a project has reached at least; each is contained in the one before it."""

    DECLARED = "DECLARED", "Declared"
    PLANNED = "PLANNED", "In the plan"
    SCHEME = "SCHEME", "Scheme submitted"
    APPROVED = "APPROVED", "Scheme approved"
    CONTRACTED = "CONTRACTED", "Contract filed"
    AWAITING = "AWAITING", "Acceptance requested"
    ACCEPTED = "ACCEPTED", "Accepted"

    @property
    def stages(self) -> frozenset[Stage]:
        """The stages of a project that has come this far; each was declared once, whatever became of it."""
        if self is Milestone.DECLARED:
            return frozenset(Stage)
        return frozenset(_ORDER[_ORDER.index(Stage(self.value)) :])
