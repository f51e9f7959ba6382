"""A page of several measurements, each of which writes its own section."""


def replace_section(page, heading, text):
    """Puts the text between the page's "## heading" and the next one, and leaves the others; a heading that is new comes last."""
    lines = page.read_text().split("\n") if page.exists() else []
    title = f"## {heading}"
    begin = lines.index(title) if title in lines else len(lines)
    end = next((place for place in range(begin + 1, len(lines)) if lines[place].startswith("## ")), len(lines))
    parts = ["\n".join(lines[:begin]), f"{title}\n\n{text}", "\n".join(lines[end:])]
    page.write_text("\n\n".join(part.strip("\n") for part in parts if part.strip("\n")) + "\n")
