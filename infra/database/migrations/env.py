"""What Alembic runs: the migrations, on the connection that ``infra.database.migrate`` hands over.

It refuses to run without one: the URL is the installation's, not a second setting.
"""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
