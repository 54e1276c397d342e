"""What Alembic runs: the connection comes from ``storage.migrations.upgrade``, which holds the lock."""

from alembic import context

from storage.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
