"""What providers say afterwards, read and checked: bounces, complaints, receipts, replies, returned letters."""
