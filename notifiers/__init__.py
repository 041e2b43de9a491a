"""What touches customers: messages rendered from reminders, and the channels that carry them."""
