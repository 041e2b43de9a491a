"""The console's own pages, behind a login: read from SQL, changed by commands only."""
