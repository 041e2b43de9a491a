"""What is decided: pure functions of the log; no I/O, clock, randomness or logging."""
