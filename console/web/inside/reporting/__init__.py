"""Reports: what each asks the read model for, and the forms that it is given away in. Nothing here knows of requests."""
