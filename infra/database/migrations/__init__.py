"""The migrations: forward only, one file each in ``versions``, run by ``infra.database.migrate``."""
