"""What a process tells of itself over HTTP: metrics, health, readiness; and what is told of an installation.

Nothing here counts by itself: counters live with the code that they count.
"""
