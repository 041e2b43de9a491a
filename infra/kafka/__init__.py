"""What touches Kafka outside the engine: local broker, topics, clients, lag, dead letters."""
