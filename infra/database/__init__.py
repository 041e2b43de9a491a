"""The SQL side: tables, migrations, engines and queries, on SQLite and on PostgreSQL.

It owns how rows are kept and read; it refuses to decide anything about money or reminders.
"""
