"""The documentation says what the code does."""

import re
from pathlib import Path

import pytest

from sw2.build.spec import KEYS, Spec

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def test_every_key_of_the_spec_is_documented_with_its_default():
    page = (ROOT / "docs/spec.md").read_text()
    for section, keys in KEYS.items():
        for key in keys:
            default = getattr(Spec(), key)
            shown = f'"{default}"' if isinstance(default, str) else str(default)
            assert f"`{section}`" in page
            assert re.search(rf"\| `{key}` \| `{re.escape(shown)}` \|", page), (section, key, shown)


def test_the_spec_in_the_docs_parses_and_is_at_most_eight_lines():
    text = (ROOT / "docs/spec.md").read_text().split("```toml\n")[1].split("```")[0]
    assert Spec.parse(text).name == "fashion"
    assert len(text.splitlines()) <= 8


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page):
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)|(?:src|srcset)=\"([^\"]+)\"", text)
    for target in (one or other for one, other in targets):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_both_readmes_show_the_same_commands():
    blocks = [
        re.findall(r"^\$ (.*?)(?:\s+#.*)?$", (ROOT / name).read_text(), flags=re.MULTILINE)
        for name in ("README.md", "README.zh-CN.md")
    ]
    plain = [[re.sub(r'"[^"]*"', '"…"', line) for line in block] for block in blocks]
    assert plain[0] == plain[1]
