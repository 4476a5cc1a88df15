"""Commands for operators: start, serve, seed, import, the first administrator, demo data."""

from __future__ import annotations

import click
from flask import Flask, current_app
from flask.cli import AppGroup
from flask_migrate import upgrade
from sqlalchemy import select

from app.access.actor import SYSTEM
from app.cli import funds, importing, serving
from app.core.errors import InvalidInput
from app.models.user import AppUser
from app.services import similarity
from app.services.demo import ACCOUNTS, DEMO_MAIL, load_demo
from app.services.seed import seed
from app.services.unit_of_work import current_session
from app.services.user import NewUser, create_user
from app.tasks.runtime import clock_of
from config import Settings, SettingsRefused

demo = AppGroup("demo", help="Demo data.")
admin = AppGroup("admin", help="The first accounts of an installation.")
similar = AppGroup("similarity", help="The index of similar projects.")


def install(app: Flask) -> None:
    """Register the commands."""
    app.cli.add_command(start)
    app.cli.add_command(serving.serve)
    app.cli.add_command(seed_command)
    app.cli.add_command(demo)
    app.cli.add_command(admin)
    app.cli.add_command(similar)
    app.cli.add_command(importing.group)
    app.cli.add_command(funds.group)


@click.command("start")
@click.option("--serve", is_flag=True, help="Then run site and worker in this process's forks.")
def start(serve: bool = False) -> None:
    """Migrate, bring reference data up to date, load demo data at the first start, say where to go."""
    settings: Settings = current_app.config["SETTINGS"]
    upgrade()
    seed()
    if settings.profile == "demo" and _nobody_yet():
        click.echo(f"First start: loading {settings.demo_projects} demo projects …")
        _load_demo(settings.demo_projects)
    if settings.profile == "production" and _has_demo_accounts():
        raise SettingsRefused("This database holds demo accounts; production starts on one of its own.")
    click.echo(f"\n  http://{settings.host}:{settings.port}/\n")
    if settings.profile == "demo":
        width = max(len(account.username) for account in ACCOUNTS)
        for account in ACCOUNTS:
            click.echo(f"  {account.username:<{width}}  {account.position}")
        click.echo(f"\n  Password of all: {settings.demo_password}\n")
    if serve:
        serving.serve_both(serving.this_app())


@click.command("seed")
def seed_command() -> None:
    """Bring roles, dictionaries, parameters, calendar, flows and menu up to date."""
    seed()


@demo.command("load")
@click.option("--projects", default=300, show_default=True, help="How many projects.")
@click.option("--seed", "number", default=1, show_default=True, help="The same seed gives the same data.")
def demo_load(projects: int, number: int) -> None:
    """Load demo data into an empty database."""
    if current_app.config["SETTINGS"].profile == "production":
        raise click.ClickException("Demo data is refused in production: its accounts share one password.")
    if not _nobody_yet():
        raise click.ClickException("There are users already. Demo data goes into an empty database only.")
    seed()
    _load_demo(projects, number)


@admin.command("create")
@click.argument("username")
@click.argument("name")
@click.option("--role", default="sys_admin", type=click.Choice(["sys_admin", "sec_admin", "audit_admin"]))
def admin_create(username: str, name: str, role: str) -> None:
    """Create an administrator and show his one-time password; he must change it at the first log-in."""
    try:
        _, password = create_user(SYSTEM, NewUser(username=username, last_name=name, roles=(role,)))
    except InvalidInput as refused:
        problems = [
            f"{field}: {problem.message % dict(problem.params)}"
            for field, found in refused.fields.items()
            for problem in found
        ]
        raise click.ClickException("; ".join(problems)) from None
    click.echo(f"{username}: {password}")


@similar.command("rebuild")
def similarity_rebuild() -> None:
    """Make the index of titles and scopes anew; submissions wait while it runs."""
    click.echo(str(similarity.rebuild_all()))


def _load_demo(projects: int, number: int = 1) -> None:
    """Demo data with its lights: the clock looks every ten minutes, and a visitor comes before that."""
    load_demo(current_app.config["SETTINGS"].demo_password, projects, number)
    clock = clock_of(current_app)
    clock.run("scan_reviews", clock.scan_reviews)


def _nobody_yet() -> bool:
    return current_session().scalar(select(AppUser.id).limit(1)) is None


def _has_demo_accounts() -> bool:
    marked = AppUser.email.endswith(DEMO_MAIL, autoescape=True)
    return current_session().scalar(select(AppUser.id).where(marked).limit(1)) is not None
