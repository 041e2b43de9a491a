"""Pages behind signed links: what a reader of a message can do, and nothing of anybody else's."""
