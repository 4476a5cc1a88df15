"""`flask funds check`: does every project have what its documents gave it?"""

from __future__ import annotations

import click
from flask.cli import AppGroup

from app.services import funds
from app.services.unit_of_work import current_session

group = AppGroup("funds", help="The chains of arranged amounts.")


@group.command("check")
def check() -> None:
    """Hold every project's arranged amount against its chain, its plan and its adjustments; fails on any
    difference, naming each."""
    broken = funds.broken_chains(current_session())
    for each in broken:
        click.echo(
            f"{each.code}: arranged {each.arranged}, entries {each.ledger};"
            f" initial {each.initial_plan} in the plan, {each.initial_ledger} in entries;"
            f" adjusted {each.adjusted_documents} by documents, {each.adjusted_ledger} in entries;"
            f" {each.broken_entries} entries that do not follow"
        )
    if broken:
        raise click.ClickException(f"{len(broken)} chains are broken.")
    click.echo("Every chain holds.")
