"""A mentor's whole way in a real browser: sign in, a new flag appears by itself, open, claim, decide, gone."""

import asyncio
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from redis.asyncio import Redis
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support import expected_conditions as expected
from selenium.webdriver.support.wait import WebDriverWait

from dashboards.access import Role
from dashboards.accounts import Accounts
from dashboards.texts import load_texts
from pipeline.groups import GroupLedger, GroupOptIn
from pipeline.privacy import Keyring
from pipeline.review.store import ReviewStore
from tests.conftest import ValkeyServer
from tests.dashboards.conftest import PASSWORD, QUICK_HASHER, School

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
TEXTS = load_texts()
WAIT_SECONDS = 30

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM or not DRIVER, reason="needs the Debian packages chromium and chromium-driver"),
]


@pytest.fixture
def address(valkey_server: ValkeyServer, tmp_path: Path) -> Iterator[str]:
    """The pages, served by the command itself."""
    process = subprocess.Popen(  # noqa: S603  # our own command
        [Path(sys.executable).with_name("vangnet"), "web", "--port", "0"],
        env={
            "VANGNET_REDIS": valkey_server.url,
            "VANGNET_DATA": str(tmp_path / "var"),
            "VANGNET_KEYS": str(tmp_path / "keys"),
        },
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    found = next(match for line in process.stderr if (match := re.search(r"http://\S+", line)))
    yield found[0]
    process.kill()
    process.communicate()


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.add_argument(f"--user-data-dir={tmp_path / 'browser'}")
    driver = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
    yield driver
    driver.quit()


def sign_in(browser: webdriver.Chrome, address: str, name: str) -> None:
    browser.get(f"{address}/aanmelden")
    browser.find_element(By.NAME, "name").send_keys(name)
    browser.find_element(By.NAME, "password").send_keys(PASSWORD)
    browser.find_element(By.CSS_SELECTOR, "main button").click()
    WebDriverWait(browser, WAIT_SECONDS).until(expected.presence_of_element_located((By.CSS_SELECTOR, ".who")))


def complaints(browser: webdriver.Chrome) -> list[str]:
    """What the browser's console says: broken scripts, and whatever the content policy stopped."""
    return [
        entry["message"] for entry in cast("Any", browser).get_log("browser") if entry["level"] in ("SEVERE", "WARNING")
    ]


async def add_flag(url: str, keys: Path, text: str) -> None:
    """What the worker does when it has judged a message, from another process than the pages."""
    redis, keyring = Redis.from_url(url), Keyring.open(keys)
    ledger, store = GroupLedger(redis, keyring), ReviewStore(redis, keyring)
    opt_in = GroupOptIn(
        name="Klas 2B", platform="replay", platform_group="2b", teacher="docent", purpose="veilige groepsapp"
    )
    group = await ledger.by_platform("replay", "2b") or await ledger.add(opt_in)
    await store.add_flag(School.flag_of(keyring, group.id, text))
    await redis.aclose()


async def add_users(url: str, **roles: Role) -> None:
    redis = Redis.from_url(url)
    for name, role in roles.items():
        await Accounts(redis, hasher=QUICK_HASHER).add(name, role, PASSWORD)
    await redis.aclose()


def test_a_flag_appears_is_judged_and_leaves_the_queue(
    browser: webdriver.Chrome, address: str, valkey_server: ValkeyServer, tmp_path: Path
) -> None:
    """Without one reload by the mentor, from the empty queue to the judged case."""
    asyncio.run(add_users(valkey_server.url, anna=Role.MENTOR))
    wait = WebDriverWait(browser, WAIT_SECONDS)
    sign_in(browser, address, "anna")
    assert TEXTS("queue.empty_title") in browser.page_source
    browser.execute_script("window.stillTheSamePage = true")
    asyncio.run(add_flag(valkey_server.url, tmp_path / "keys", "niemand wil jou hier, ga uit de app"))
    case = wait.until(expected.presence_of_element_located((By.CSS_SELECTOR, ".case a")))
    assert browser.execute_script("return window.stillTheSamePage") is True
    assert "Klas 2B" in case.text
    assert browser.title.startswith("(1)")

    case.click()
    wait.until(expected.presence_of_element_located((By.CSS_SELECTOR, ".talk mark")))
    browser.find_element(By.XPATH, f"//button[.='{TEXTS('case.claim')}']").click()
    wait.until(expected.presence_of_element_located((By.CSS_SELECTOR, ".decide")))
    browser.find_element(By.CSS_SELECTOR, "input[value=upheld]").click()
    browser.find_element(By.CSS_SELECTOR, ".decide button").click()
    assert browser.find_elements(By.CSS_SELECTOR, ".decide"), "the browser asks for a reason before it sends anything"
    browser.find_element(By.CSS_SELECTOR, ".decide textarea").send_keys("buitensluiten, gesprek gepland")
    browser.find_element(By.CSS_SELECTOR, ".decide button").click()
    wait.until(expected.presence_of_element_located((By.ID, "queue")))
    assert not browser.find_elements(By.CSS_SELECTOR, ".case")
    assert TEXTS("done.closed") in browser.page_source
    assert complaints(browser) == []


def test_management_s_charts_are_drawn(
    browser: webdriver.Chrome, address: str, valkey_server: ValkeyServer, tmp_path: Path
) -> None:
    """The chart library runs under the content policy and draws every chart."""
    asyncio.run(add_users(valkey_server.url, directeur=Role.MANAGER))
    asyncio.run(add_flag(valkey_server.url, tmp_path / "keys", "sukkel"))
    sign_in(browser, address, "directeur")
    assert len(browser.find_elements(By.CSS_SELECTOR, "canvas")) == 4
    assert complaints(browser) == []


def test_pages_fit_a_phone(
    browser: webdriver.Chrome, address: str, valkey_server: ValkeyServer, tmp_path: Path
) -> None:
    """At 320 pixels nothing has to be scrolled sideways (WCAG 1.4.10)."""
    asyncio.run(add_users(valkey_server.url, anna=Role.MENTOR, docent=Role.TEACHER, directeur=Role.MANAGER))
    asyncio.run(
        add_flag(valkey_server.url, tmp_path / "keys", "ga weg " + "a" * 300 + " https://voorbeeld.nl/" + "b" * 200)
    )
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 320, "height": 640, "deviceScaleFactor": 1, "mobile": True}
    )
    for name, paths in (
        ("anna", ("/meldingen", "case", "/niet-beoordeeld")),
        ("docent", ("/groepen",)),
        ("directeur", ("/cijfers",)),
    ):
        browser.delete_all_cookies()
        sign_in(browser, address, name)
        for path in paths:
            if path == "case":
                browser.get(f"{address}/meldingen")
                browser.find_element(By.CSS_SELECTOR, ".case a").click()
                WebDriverWait(browser, WAIT_SECONDS).until(
                    expected.presence_of_element_located((By.CSS_SELECTOR, ".talk"))
                )
            else:
                browser.get(address + path)
            width = browser.execute_script("return document.documentElement.scrollWidth")
            assert width <= 320, path
