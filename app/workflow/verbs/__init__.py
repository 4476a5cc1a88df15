"""Every verb of the engine, one function each: applicant, reviewer, signers, administrator."""

from app.workflow.verbs.administrator import reassign, terminate
from app.workflow.verbs.applicant import resubmit, submit, urge, withdraw
from app.workflow.verbs.reviewer import (
    approve,
    reject,
    return_to_applicant,
    return_to_step,
    save_opinion,
    take_back,
)
from app.workflow.verbs.signers import SignerPosition, add_signer, copy_to, delegate, transfer

__all__ = [
    "SignerPosition",
    "add_signer",
    "approve",
    "copy_to",
    "delegate",
    "reassign",
    "reject",
    "resubmit",
    "return_to_applicant",
    "return_to_step",
    "save_opinion",
    "submit",
    "take_back",
    "terminate",
    "transfer",
    "urge",
    "withdraw",
]
