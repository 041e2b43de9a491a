"""The audit of a ledger's partition: chain, position, conservation of money, and rows and facts against a replay.

``chain``, ``money``, ``matching`` and ``fold`` are pure over records; ``logs`` reads Kafka,
``sheet`` keeps what does not fit in memory, ``partition`` puts the audit of one partition together.
"""
