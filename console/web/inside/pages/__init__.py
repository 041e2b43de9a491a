"""One file per area of the console: its routes, and what its templates see."""
