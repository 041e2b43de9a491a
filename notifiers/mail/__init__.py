"""Mail: how a message becomes one, and who takes it (SMTP, SES)."""
