"""Files that go along with a message: fetched from where the billing system keeps them, or rebuilt from their XML."""
