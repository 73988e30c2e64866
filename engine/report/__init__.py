"""How results look: on the terminal, as JSON, as a page."""
