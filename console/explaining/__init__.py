"""Explanations of one account: words per language, sentences made of what ``processors`` tell."""
