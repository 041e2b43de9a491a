"""What is said: the contracts of every topic, and nothing that acts on them.

Only msgspec and the standard library are imported here, so that a producer or
a reader of our topics can use these types alone.
"""
