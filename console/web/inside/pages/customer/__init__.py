"""The customer page and what hangs on it: a file per thing that is looked at or asked for."""
