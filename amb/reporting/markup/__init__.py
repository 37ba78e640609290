"""Markup: a table's cells as Markdown, LaTeX, reStructuredText and HTML; every text is escaped."""
