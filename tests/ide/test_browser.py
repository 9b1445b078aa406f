"""The page as a person uses it, in Chromium: look, decide by key, commit, build, compare.

Screenshots are left in `artifacts/` for a person to look at."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from small_shop import Server

import sw2
from sw2.repo import fsck

ROOT = Path(__file__).parent.parent.parent
ARTIFACTS = ROOT / "artifacts"
AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
BUILD_MS = 180_000
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 1024, "height": 768}

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture
def server(built_shop: Path, tmp_path: Path) -> Iterator[Server]:
    running = Server(shutil.copytree(built_shop, tmp_path / "shop")).start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    assert Path(CHROMIUM).exists(), "Chromium is missing: apt-get install chromium"
    assert (ROOT / "src/sw2/ide/static/index.html").exists(), "the page is not built: make web"
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    """The page on the shop. It must complain of nothing and ask nobody else for anything."""
    tab = browser.new_page(viewport=WIDE, locale="en-GB", color_scheme="light")
    complaints: list[str] = []
    asked: set[str] = set()
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    tab.on("request", lambda request: asked.add(request.url.split("/")[2]))
    tab.goto(server.url)
    expect(tab.get_by_test_id("tile").first).to_be_visible()
    yield tab
    lost = "net::ERR_"  # the browser's own word for a connection that a killed server leaves behind
    assert [c for c in complaints if not (server.killed and lost in c)] == []
    assert {host for host in asked if host} == {f"127.0.0.1:{server.port}"}
    tab.close()


def shot(page: Page, name: str) -> None:
    ARTIFACTS.mkdir(exist_ok=True)
    page.wait_for_timeout(300)  # pictures arrive; only people look at the result
    page.screenshot(path=ARTIFACTS / f"{name}.png")


def current(page: Page) -> str:
    """The id of the example that keys work on."""
    return str(page.evaluate("new URLSearchParams(location.search).get('id')"))


def labels(server: Server) -> dict[str, str]:
    table = sw2.open(server.folder).read(["id", "label"])
    return dict(zip(*(table[name].to_pylist() for name in ("id", "label")), strict=True))


def test_the_whole_loop(page: Page, server: Server):
    before = labels(server)
    shot(page, "1-worst-first")
    for key in ["Enter"] * 6 + ["1", "2", "x", "3"]:
        page.keyboard.press(key)
    expect(page.get_by_test_id("statusbar-pending")).to_contain_text("10")
    expect(page.get_by_test_id("statusbar-saved")).to_contain_text("saved")
    page.keyboard.press("z")
    expect(page.get_by_test_id("statusbar-pending")).to_contain_text("9")
    expect(page.get_by_test_id("planted")).not_to_contain_text("found 0 of")
    changed = {key for key, label in labels(server).items() if before[key] != label}
    assert 6 <= len(changed) <= 8  # the digits may have given a label that was there already

    page.get_by_test_id("statusbar-pending").click()
    expect(page.get_by_test_id("change").first).to_be_visible()
    shot(page, "2-pending")
    page.get_by_test_id("commit-message").fill("Fix the worst")
    page.get_by_test_id("commit-button").click()
    expect(page.get_by_test_id("statusbar-pending")).to_contain_text("0")
    assert sw2.open(server.folder).log()[0].message == "Fix the worst"

    page.get_by_test_id("build-button").click()
    expect(page.get_by_test_id("build-progress").first).to_be_visible(timeout=BUILD_MS)
    shot(page, "3-building")
    expect(page.get_by_test_id("accuracy-after").first).to_be_visible(timeout=BUILD_MS)
    expect(page.get_by_test_id("accuracy-before").first).to_contain_text("%")
    shot(page, "4-built")
    assert fsck(sw2.open(server.folder)) == []


def test_a_selection_is_labelled_by_one_key_and_taken_back_by_another(page: Page, server: Server):
    before = labels(server)
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    expect(page.get_by_test_id("counts")).to_contain_text("3 selected")
    page.keyboard.press("4")
    expect(page.get_by_test_id("statusbar-pending")).to_contain_text("3")
    after = labels(server)
    assert len({after[key] for key in after if sw2_touched(server, key)}) == 1
    page.keyboard.press("z")
    expect(page.get_by_test_id("statusbar-pending")).to_contain_text("0")
    assert labels(server) == before


def sw2_touched(server: Server, key: str) -> bool:
    return key in {edit.key for edit in sw2.open(server.folder).pending().edits}


def test_a_reload_and_the_back_button_restore_the_view(page: Page):
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile("id="))
    here = current(page)
    page.keyboard.press("Alt+2")
    expect(page).to_have_url(re.compile("view=problems"))
    page.go_back()
    expect(page.get_by_test_id("tile").first).to_be_visible()
    page.reload()
    expect(page.get_by_test_id("tile").first).to_be_visible()
    assert current(page) == here


def test_edits_wait_while_the_server_is_away_and_arrive_once_each(page: Page, server: Server):
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("statusbar-pending")).to_contain_text("1")
    server.kill()
    for _ in range(3):
        page.keyboard.press("Enter")
    expect(page.get_by_text("not connected").first).to_be_visible(timeout=30_000)
    # What the server said of the example before is not said of this one.
    expect(page.get_by_test_id("inspector").locator(".finding")).not_to_be_visible()
    shot(page, "5-away")
    server.start()
    expect(page.get_by_test_id("statusbar-pending")).to_contain_text("4", timeout=60_000)
    expect(page.get_by_text("not connected")).to_have_count(0, timeout=30_000)
    repository = sw2.open(server.folder)
    assert repository.state.stamp()[0] == 4
    assert fsck(repository) == []


def test_problems_are_settled_from_their_own_list(page: Page):
    page.keyboard.press("Alt+2")
    rows = page.get_by_test_id("problem")
    expect(rows.first).to_be_visible()
    rows.first.click()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("statusbar-pending")).to_contain_text("1")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("tongue", "word"), [("en-GB", "pending"), ("zh-CN", "待提交")])
def test_every_view_in_both_languages_and_themes(
    browser: Browser, server: Server, theme: str, tongue: str, word: str
):
    """axe finds nothing serious, every control has a name, and nothing is wider than the window.

    Contrast is a matter of the theme, names are one of the language: axe sees each of them once."""
    looked_at = (theme, tongue) in (("light", "en-GB"), ("dark", "zh-CN"))
    for size in (WIDE, NARROW):
        tab = browser.new_page(viewport=size, locale=tongue, color_scheme=theme)  # type: ignore[arg-type]
        tab.goto(server.url)
        expect(tab.get_by_test_id("statusbar-pending")).to_contain_text(word)
        for number, view in enumerate(["explore", "problems", "pending", "history", "build"], 1):
            tab.keyboard.press(f"Alt+{number}")
            tab.wait_for_timeout(400)  # the view comes in
            shot(tab, f"view-{view}-{theme}-{tongue}-{size['width']}")
            assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), view
            assert not looked_at or complaints_of_axe(tab) == [], view
        tab.close()


def complaints_of_axe(tab: Page) -> list[str]:
    """Serious and critical violations of WCAG 2 AA that axe-core finds."""
    tab.add_script_tag(path=str(AXE))
    found = tab.evaluate("async () => (await axe.run()).violations")
    return [
        f"{violation['id']}: {violation['nodes'][0]['html']}"
        for violation in found
        if violation["impact"] in ("serious", "critical")
    ]
