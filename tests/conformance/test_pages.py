# SPDX-License-Identifier: Apache-2.0
"""The pages that people see, in a real browser: every one in its states, in three languages, on a desk and on a phone, held to WCAG 2.2 AA by
axe-core and by what axe cannot see. In French they are walked without any script.

BERTH_SCREENSHOTS=DIR keeps a picture of each.
"""
import base64
import collections
import concurrent.futures
import contextlib
import os
import pathlib
import re

import pytest

import pages_walk
from berth_browser import Chromium
from counterparts import npm_install
from pages_checks import CONTRAST, DRAWN, MOVING, WATCH, WORDS, Network, complaints
from pages_walk import Walker, walk

ORDER = 47

ROOT = pathlib.Path(__file__).resolve().parents[2]
LANGUAGES = ("en", "fr", "nl")
SCRIPTLESS = "fr"
SIZES = {"desktop": (1280, 800), "phone": (390, 844)}
NARROW = 320            # what a desktop of 1280 has left at 400 % (WCAG 1.4.10)
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
AXE = """
const done = arguments[arguments.length - 1];
axe.run(document, {runOnly: {type: 'tag', values: arguments[0]}, rules: arguments[1], resultTypes: ['violations']}).then((found) => done(
	found.violations.map((one) => `${one.id} (${one.impact}): ${one.nodes.map((node) => node.html.slice(0, 120)).join(' | ')}`)));
"""
# Words that are the same in two languages, and are right so.
SAME = {"ok", "1er"}
TABS_MAX = 40


def size_of(chromium, width, height):
    chromium.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)


def media(chromium, **features):
    chromium.devtools("Emulation.setEmulatedMedia", features=[{"name": name.replace("_", "-"), "value": value} for name, value in features.items()])


class Tour:
    """What was found at each stop: sentences by aspect, and the words by language."""

    def __init__(self, suite, axe):
        self.axe = axe
        self.wrong = collections.defaultdict(list)
        self.words = collections.defaultdict(dict)      # stop: {language: its texts}
        self.stops = collections.Counter()
        self.network = Network(suite.url)
        self.shots = os.environ.get("BERTH_SCREENSHOTS")

    def walk(self, at):
        size_of(at.chromium, *SIZES["desktop"])
        for stop in walk(at):
            self.look(at, stop)

    def found(self, aspect, where, sentences):
        self.wrong[aspect] += [f"{where}: {sentence}" for sentence in sentences]

    def look(self, at, stop):
        chromium, where = at.chromium, f"{stop.name} ({at.language})"
        self.stops[at.language] += 1
        for name, (width, height) in SIZES.items():
            size_of(chromium, width, height)
            self.found("drawn", f"{where}, {name}", chromium.run(DRAWN, at.page_language(stop), width, stop.fault))
            self.keep(chromium, f"{stop.name}.{at.language}.{name}")
            if self.axe and at.language == "en" and name in (("desktop",) if stop.name == "docs" else SIZES if stop.fault is None else ("phone",)):
                self.found("axe", f"{where}, {name}", self.ask_axe(chromium))
        size_of(chromium, NARROW, 640)
        self.found("drawn", f"{where}, {NARROW} px", chromium.run(DRAWN, at.page_language(stop), NARROW, stop.fault))
        if at.language == "nl":         # the longest words
            chromium.run("document.documentElement.style.fontSize = '200%'")
            self.found("drawn", f"{where}, {NARROW} px and text of twice the size", chromium.run(DRAWN, at.page_language(stop), NARROW, stop.fault))
            chromium.run("document.documentElement.style.fontSize = ''")
        size_of(chromium, *SIZES["desktop"])
        self.words[stop.name][at.language] = chromium.run(WORDS)
        if at.language == "en":
            if stop.fault is None:
                self.found("keyboard", where, self.by_keyboard(chromium))
            if stop.fault is None or stop.name.endswith("refused"):
                self.found("preferences", where, self.as_preferred(chromium))
        if not at.scripts:
            self.found("without scripts", where, chromium.run(
                "const shown = (one) => one.checkVisibility(); const forms = [...document.querySelectorAll('form[data-passkey]')];"
                "const words = [...document.querySelectorAll('noscript')].filter((one) => shown(one) && one.textContent.trim());"
                "return forms.filter(shown).map(() => 'a form that cannot work').concat(forms.length !== words.length ? ['does not say so'] : [])"))
        self.found("console", where, complaints(chromium.log("browser")))
        self.network.read(chromium.log("performance"))

    def keep(self, chromium, name):
        if self.shots:
            whole = not name.startswith("docs")
            picture = chromium.devtools("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
            folder = pathlib.Path(self.shots)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / (re.sub(r"[^a-z0-9.]+", "-", name) + ".png")).write_bytes(base64.b64decode(picture))

    def ask_axe(self, chromium):
        if not chromium.run("return !!window.axe"):
            chromium.run("(0, eval)(arguments[0])", self.axe)
        return chromium.ask("POST", "/execute/async", script=AXE, args=[TAGS, {}])

    def by_keyboard(self, chromium):
        """Tab comes to everything in the order of the page, and each shows that it has the focus."""
        count = chromium.run(WATCH)
        for _ in range(min(count + 1, TABS_MAX)):
            chromium.devtools("Input.dispatchKeyEvent", type="rawKeyDown", key="Tab", code="Tab", windowsVirtualKeyCode=9)
        went, wrong = chromium.run("return [window.focusing.went, window.focusing.wrong]")
        if count < TABS_MAX and set(went) != set(range(count)):
            wrong.append(f"Tab comes to {sorted(set(went))} of {count}")
        if sum(after < before for before, after in zip(went, went[1:])) > 1:
            wrong.append(f"Tab goes {went}")
        return wrong

    def as_preferred(self, chromium):
        wrong = []
        for scheme, contrast, least in (("dark", "no-preference", 4.5), ("light", "more", 7), ("dark", "more", 7)):
            media(chromium, prefers_color_scheme=scheme, prefers_contrast=contrast, prefers_reduced_motion="reduce")
            wrong += [f"{scheme}, contrast {contrast}: {one}" for one in chromium.run(CONTRAST, least)]
        wrong += chromium.run(MOVING)
        media(chromium)
        return wrong


@pytest.fixture(scope="module")
def axe():
    """The source of axe-core, or None where there is no npm to fetch it with."""
    try:
        return (npm_install("axe") / "node_modules" / "axe-core" / "axe.min.js").read_text()
    except pytest.skip.Exception:
        return None


@pytest.fixture(scope="module")
def tour(suite, slug, axe):
    made = Tour(suite, axe)
    with contextlib.ExitStack() as stack, concurrent.futures.ThreadPoolExecutor(len(LANGUAGES)) as pool:
        walkers = [Walker(suite, slug, stack.enter_context(Chromium(suite, logs=True)), language, scripts=language != SCRIPTLESS) for language in LANGUAGES]
        list(pool.map(made.walk, walkers))      # a browser of its own for each language, all at once
    return made


def none(sentences):
    assert not sentences, "\n".join([f"{len(sentences)} found", *sentences])


@pytest.mark.seconds(600)
def test_every_page_of_the_contract_was_seen(tour):
    """As Chromium asked for it: method and path of each operation that is a page for people."""
    rows = []
    for name in ("authsvc", "gateway"):
        text = (ROOT / "common" / "contract" / f"{name}.def").read_text()
        rows += re.findall(r'^OPERATION\((\w+), *\d+, *(GET|POST), *"([^"]+)",[^\n]*\bOP_PAGE\b', text, re.M)
    assert len(rows) > 30 and tour.stops.total() == len(tour.words) * len(LANGUAGES)
    none([f"{name}: {method} {path} was never asked for" for name, method, path in rows if (method, path) not in tour.network.asked])


def test_axe_finds_no_violation(tour, axe):
    if axe is None:
        pytest.skip("there is no npm here to install axe-core with")
    none(tour.wrong["axe"])


def test_each_page_is_whole_at_each_size(tour):
    """Language, title, headings, labels, what fields are for, targets, nothing beside the screen, and mistakes told where they are."""
    none(tour.wrong["drawn"])


def test_a_keyboard_is_enough(tour):
    none(tour.wrong["keyboard"])


def test_dark_contrast_and_still_are_as_people_prefer(tour):
    none(tour.wrong["preferences"])


def test_no_script_is_needed_but_for_passkeys(tour):
    assert tour.stops[SCRIPTLESS] == tour.stops["en"]
    none(tour.wrong["without scripts"])


def test_the_console_is_silent(tour):
    """No error, and nothing that the content security policy had to stop."""
    none(tour.wrong["console"])


def test_nothing_comes_from_elsewhere(tour):
    none(tour.network.elsewhere)


def test_each_sentence_is_in_each_language(tour, suite, slug):
    """What two languages share is a name, or was not translated."""
    tenant = suite.as_role(slug, "Admin").get("/v1/tenant").expect(200).body["name"]
    names = re.compile("|".join(re.escape(name) for name in (tenant, "Foreign Parking & Co", "Kiosk", "Demo", "Berth", "Télé 📱", "Chrome"))
                       + r"|\S+@\S+|[\d:]+|UTC|\W+")
    wrong = []
    for stop, by_language in tour.words.items():
        if stop in pages_walk.NO_LANGUAGE:
            continue
        assert set(by_language) == set(LANGUAGES), stop
        for one, other in (("en", "fr"), ("en", "nl"), ("fr", "nl")):
            same = set(by_language[one]) & set(by_language[other])
            wrong += [f"{stop}, {one} and {other}: {text}" for text in same if names.sub("", text).lower() not in {"", *SAME}]
    none(wrong)


def test_passwords_and_codes_may_be_pasted(suite):
    """WCAG 3.3.8: nobody has to type from memory."""
    with Chromium(suite) as chromium:
        chromium.open(suite.url + "/login")
        chromium.type("input[name=tenant]", "copied by a password manager")
        keys(chromium, "selectAll", "copy")
        for name in ("email", "password"):
            chromium.run("document.getElementsByName(arguments[0])[0].focus()", name)
            keys(chromium, "paste")
            assert chromium.run("return document.getElementsByName(arguments[0])[0].value", name) == "copied by a password manager"
        chromium.open(suite.url + "/device")
        keys(chromium, "paste")
        assert chromium.run("return document.getElementsByName('user_code')[0].value") == "copied by a password manager"


def keys(chromium, *commands):
    for command in commands:
        chromium.devtools("Input.dispatchKeyEvent", type="rawKeyDown", commands=[command])


def test_the_checks_find_what_is_planted(suite, axe):
    with Chromium(suite, logs=True) as chromium:
        tour = Tour(suite, axe)
        size_of(chromium, *SIZES["phone"])
        chromium.open(suite.url + "/login")
        assert chromium.run(DRAWN, "en", 390, None) == [] and tour.by_keyboard(chromium) == [] and tour.as_preferred(chromium) == []
        chromium.run("document.documentElement.lang = ''; document.querySelector('label').remove(); document.querySelector('.more a').style.color = '#999';"
                     "document.querySelector('button').style.minHeight = document.querySelector('button').style.padding = 0;"
                     "document.querySelector('button').style.outline = 'none'; document.querySelector('h1').style.width = '50rem';"
                     "document.querySelector('.card').style.transition = 'all 1s'; document.getElementById('password').tabIndex = -1;"
                     "const one = new Image(); one.src = 'https://elsewhere.example/x.png'; document.querySelector('main').append(one);")
        drawn = " ".join(chromium.run(DRAWN, "en", 390, "password"))
        for words in ("lang is", "scrolls sideways", "no label", "small target", "0 alerts", "marked as wrong"):
            assert words in drawn, (words, drawn)
        keyboard = " ".join(tour.by_keyboard(chromium))
        assert "does not show" in keyboard and "Tab comes to" in keyboard, keyboard
        preferred = " ".join(tour.as_preferred(chromium))
        assert "contrast" in preferred and "moves" in preferred
        assert any("elsewhere.example" in one and "Content Security Policy" in one for one in complaints(chromium.log("browser")))
        if axe:
            found = " ".join(tour.ask_axe(chromium))
            assert all(rule in found for rule in ("html-has-lang", "label", "color-contrast", "image-alt")), found


def test_each_part_of_the_walk_is_walked():
    parts = {name for name, one in vars(pages_walk).items() if callable(one) and getattr(one, "__code__", None) and one.__code__.co_flags & 0x20}
    assert {one.__name__ for one in pages_walk.PARTS} == parts - {"walk"}
