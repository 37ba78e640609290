"""Markdown becomes a page that needs nothing else and runs nothing."""

from amb.reporting.markup.page import html_page


def test_tables_are_tables_and_what_looks_like_html_is_text():
    page = html_page("A < B", "# Title\n\n| a | b |\n| :--- | ---: |\n| x | <script>1</script> |\n")
    assert "<title>A &lt; B</title>" in page
    assert "<h1>Title</h1>" in page
    assert '<td style="text-align:right">&lt;script&gt;1&lt;/script&gt;</td>' in page
    assert "<script>" not in page
    assert "http" not in page
