"""Letters: how they are set, gathered into print runs, and handed to whoever prints and posts them."""
