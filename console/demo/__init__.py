"""A year of plausible business of two companies, made up from a seed."""
