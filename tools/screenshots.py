"""Takes the pictures in docs/images from the demo: `python tools/screenshots.py [FOLDER]`.

FOLDER is a demo with a finished build (`make demo` makes one in `demo/`); it is only read."""

import json
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parent.parent
IMAGES = ROOT / "docs" / "images"
CHROMIUM = "/usr/bin/chromium"
SIZE = {"width": 1440, "height": 900}
TONGUES = {"en": "en-GB", "zh": "zh-CN"}


def main(folder: Path) -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    sw2 = Path(sys.executable).parent / "sw2"
    server = subprocess.Popen(
        [sw2, "-C", folder, "ide", "--no-browser", "--json"], stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    told = ""
    while not told.rstrip().endswith("}"):
        told += server.stdout.readline()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
            )
            for theme in ("light", "dark"):
                for tongue in TONGUES:
                    take(browser, json.loads(told)["url"], theme, tongue)
    finally:
        server.terminate()
        server.wait()


def take(browser: Browser, url: str, theme: str, tongue: str) -> None:
    page = browser.new_page(viewport=SIZE, color_scheme=theme, locale=TONGUES[tongue])  # type: ignore[arg-type]
    page.goto(url)
    page.get_by_test_id("tile").nth(12).wait_for()
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(1500)  # pictures and the inspector arrive
    page.screenshot(path=IMAGES / f"ide-{theme}-{tongue}.png")
    page.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "demo")
