"""What providers and readers say of deliveries afterwards, checked and read into words; no HTTP here."""
