"""From a decision to the words of a message: templates, figures, and the room they run in."""
