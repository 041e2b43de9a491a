"""SMS: how long a text is, what it costs, and who takes it (Twilio)."""
