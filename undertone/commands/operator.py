"""The operator's tools: models, topics, the database."""

import asyncio
import os
from typing import Annotated

import typer

from undertone.commands.terminal import out

model_commands = typer.Typer(help="Weights of the models.", no_args_is_help=True)
topic_commands = typer.Typer(help="Topics in Kafka.", no_args_is_help=True)
database_commands = typer.Typer(help="The database.", no_args_is_help=True)


@model_commands.command("list")
def list_models() -> None:
    """Show the models that Undertone knows, and which are here."""
    from rich.table import Table

    from models.sentiment import shipped_folders
    from models.sentiment.names import hub_models
    from models.sentiment.onnx_card import MODEL, read_card
    from models.weights import hub
    from models.weights.fetch import is_here
    from models.weights.registry import ENTRIES
    from undertone.settings import read_settings

    settings = read_settings()
    table = Table("name", "for", "MB", "here", "licence", "sha256", box=None)
    for entry in ENTRIES:
        here = "yes" if is_here(entry, settings.cache) else "no"
        size = f"{entry.size_bytes / 1e6:.0f}"
        table.add_row(entry.name, entry.kind, size, here, entry.licence, entry.sha256[:12])
    for folder in shipped_folders():
        card = read_card(folder)
        size = f"{sum(file.stat().st_size for file in folder.iterdir()) / 1e6:.0f}"
        table.add_row(card.name, "sentiment", size, "shipped", card.licence, card.sha256[MODEL][:12])
    for model in hub_models(settings.sentiment_model):
        here = "yes" if hub.is_here(model, settings.cache) else "no"
        table.add_row(f"hf:{model.repository}", "sentiment", "", here, "see its page", f"at {model.revision[:12]}")
    out().print(table)


@model_commands.command("fetch")
def fetch_models(
    names: Annotated[list[str] | None, typer.Argument(help="Which; default: those that the settings name.")] = None,
) -> None:
    """Download models, check them by SHA-256, and keep them in the cache."""
    from undertone.local.weights import fetch_model, needed_models
    from undertone.settings import read_settings

    settings = read_settings()
    os.umask(os.umask(0) | 0o022)  # what is downloaded may be read by everybody, and changed by its owner alone
    for name in names or needed_models(settings):
        typer.echo(f"{name}: {fetch_model(name, settings.cache)}")


@topic_commands.command("apply")
def apply() -> None:
    """Create missing topics and bring the settings of all up to date."""
    from undertone.bootstrap import apply_topics
    from undertone.settings import read_settings

    settings = read_settings()
    for name in asyncio.run(apply_topics(settings)):
        typer.echo(f"{name}: created or changed")
    typer.echo(f"the topics of {settings.topic_prefix} are as they should be")


@topic_commands.command("show")
def show() -> None:
    """Show the topics as Kafka has them."""
    from rich.table import Table

    from undertone.bootstrap import show_topics
    from undertone.local.kafka import with_embedded_kafka
    from undertone.settings import read_settings

    table = Table("topic", "partitions", "key", "holds", "settings", box=None)
    for state in asyncio.run(show_topics(with_embedded_kafka(read_settings()))):
        settings = ", ".join(f"{name}={value}" for name, value in sorted(state.config.items()))
        partitions = str(state.partitions) if state.partitions else "missing"
        table.add_row(state.name, partitions, state.topic.key, state.topic.holds, settings)
    out().print(table)


@database_commands.command("upgrade")
def upgrade_database() -> None:
    """Bring the database to the newest schema."""
    from storage.migrations import upgrade
    from undertone.settings import read_settings

    upgrade(read_settings().database_url())
    typer.echo("the database has the newest schema")
