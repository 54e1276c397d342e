"""How fast the history answers when much is stored: search over a fixed mix of questions."""
