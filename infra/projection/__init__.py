"""From the ledger's records to rows of SQL: what the projector writes, apart from how it reads Kafka."""
