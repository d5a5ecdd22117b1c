# SPDX-License-Identifier: Apache-2.0
"""What is asked of a page as Chromium has drawn it, beside axe: asked in the page, answered as sentences about what is wrong."""
import json
import urllib.parse

# What every check uses; run before it in the page.
COMMON = r"""
const wrong = [];
const say = (what) => wrong.push(what);
const all = (selector) => [...document.querySelectorAll(selector)];
const shown = (one) => one.checkVisibility({visibilityProperty: true}) && one.getClientRects().length > 0;
const called = (one) => one.outerHTML.slice(0, 80);
const fields = all('input:not([type=hidden])').filter(shown);
const targets = all('a[href], button, input:not([type=hidden]), summary').filter(shown);
"""

# arguments: language, width, whether the page tells of a mistake (null: none; "": of no field; else the field's name)
DRAWN = COMMON + r"""
const [language, width, fault] = arguments;
const html = document.documentElement;
if (html.lang !== language) say(`lang is ${html.lang}`);
if (document.title.trim().length < 3) say('no title');
if (all('h1').length !== 1) say(`${all('h1').length} first headings`);
if (html.scrollWidth > width) say(`scrolls sideways: ${html.scrollWidth} px`);
for (const one of document.body.querySelectorAll('*')) {
	const box = one.getBoundingClientRect();
	if (shown(one) && box.right > width + 1 && getComputedStyle(one).position !== 'absolute') say(`sticks out: ${called(one)}`);
}
for (const one of targets) {
	const box = one.getBoundingClientRect();
	const inline = one.matches('p:not(.more) a, li:not(.ways li) a, td a');
	const least = one.matches('button, input, .button, .ways a') ? 44 : 24;
	if (!inline && (box.height < least || box.width < least)) say(`small target ${box.width} × ${box.height}: ${called(one)}`);
}
const ids = all('[id]').map((one) => one.id);
for (const id of ids) if (ids.filter((other) => other === id).length > 1) say(`id ${id} twice`);
for (const one of fields) {
	const text = one.labels.length === 1 ? one.labels[0].textContent.trim() : '';
	if (!text) say(`no label: ${called(one)}`);
	if (!one.autocomplete) say(`does not say what to fill in: ${called(one)}`);
	for (const id of (one.getAttribute('aria-describedby') || '').split(' ').filter(Boolean))
		if (!document.getElementById(id)?.textContent.trim()) say(`described by nothing: ${id}`);
}
for (const one of all('input[type=password]')) if (!/^(current|new)-password$/.test(one.autocomplete)) say(`autocomplete: ${called(one)}`);
const alerts = all('[role=alert]').filter(shown);
if (fault === null && alerts.length) say(`an alert: ${alerts[0].textContent}`);
if (fault !== null && alerts.length !== 1) say(`${alerts.length} alerts`);
const faulty = fields.filter((one) => one.getAttribute('aria-invalid') === 'true').map((one) => one.name);
if (String(faulty) !== (fault || '')) say(`marked as wrong: ${faulty}`);
if (fault && alerts.length) {
	const field = document.getElementsByName(fault)[0];
	if (document.activeElement !== field) say(`the focus is not where something is wrong but at ${called(document.activeElement)}`);
	const words = (field.getAttribute('aria-describedby') || '').split(' ').map((id) => document.getElementById(id));
	if (!words.includes(alerts[0])) say('the field does not say what is wrong');
	const box = alerts[0].getBoundingClientRect();
	if (box.bottom > field.getBoundingClientRect().top || box.top < field.labels[0].getBoundingClientRect().top) say('the sentence is not at its field');
}
return wrong;
"""

# arguments: the names of people, places and things, which no language translates
WORDS = COMMON + r"""
const texts = new Set([document.title]);
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) if (!walker.currentNode.parentElement.closest('script, style, svg, code, .brand')) texts.add(walker.currentNode.textContent.trim());
for (const one of all('[aria-label], [title], [alt], [placeholder]'))
	for (const name of ['aria-label', 'title', 'alt', 'placeholder']) if (one.hasAttribute(name)) texts.add(one.getAttribute(name).trim());
return [...texts].filter((text) => text);
"""

# Keeps which element has the focus each time that it moves, and whether it shows. Gives how many may have it.
WATCH = COMMON + r"""
window.focusing = {went: [], wrong: wrong};
document.addEventListener('focusin', (event) => {
	const one = event.target, style = getComputedStyle(one), box = one.getBoundingClientRect();
	const apart = parseFloat(style.outlineOffset) >= 1 || style.outlineColor !== style.backgroundColor;
	window.focusing.went.push(targets.indexOf(one));
	if (style.outlineStyle === 'none' || parseFloat(style.outlineWidth) < 2 || !apart) say(`the focus does not show at ${called(one)}`);
	if (box.bottom < 0 || box.top > innerHeight) say(`the focus is out of sight at ${called(one)}`);
});
return targets.length;
"""

MOVING = COMMON + r"""
for (const one of document.body.querySelectorAll('*')) {
	const style = getComputedStyle(one);
	if (style.animationName !== 'none' || parseFloat(style.transitionDuration) > 0) say(`moves: ${called(one)}`);
}
return wrong;
"""

# argument: the least ratio of text and what is behind it (WCAG 2.2, 1.4.3 and 1.4.6), by the page's own colours
CONTRAST = COMMON + r"""
const number = (colour) => (colour.match(/[\d.]+/g) || []).map(Number);
const light = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
	.reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const behind = (one) => {
	for (; one; one = one.parentElement) {
		const colour = number(getComputedStyle(one).backgroundColor);
		if (colour.length === 3 || colour[3] === 1) return colour;
	}
	return [255, 255, 255];
};
for (const one of all('main *, header')) {
	if (!shown(one) || ![...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim())) continue;
	const [a, b] = [light(number(getComputedStyle(one).color)), light(behind(one))];
	const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
	if (ratio < arguments[0]) say(`contrast ${ratio.toFixed(2)}: ${called(one)}`);
}
return wrong;
"""


class Network:
    """What Chromium asked for, by its performance log."""

    def __init__(self, origin):
        self.origin = origin
        self.asked = set()          # (method, path) at this origin
        self.elsewhere = []

    def read(self, entries):
        for entry in entries:
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                if not message["params"]["documentURL"].startswith("chrome:"):      # the browser's own first page
                    self.take(message["params"]["request"]["method"], message["params"]["request"]["url"], message["params"]["documentURL"])

    def take(self, method, url, document):
        parts = urllib.parse.urlsplit(url)
        if f"{parts.scheme}://{parts.netloc}" == self.origin:
            self.asked.add((method, parts.path))
        elif parts.scheme != "data" or document.startswith(self.origin):
            self.elsewhere.append(f"{document}: {url[:100]}")


def complaints(entries):
    """What the console said, but for a page's own status: Chromium calls each answer from 400 on an error."""
    found = []
    for entry in entries:
        own = entry["source"] == "network" and "the server responded with a status of 4" in entry["message"] and "favicon" not in entry["message"]
        if not own:
            found.append(f"{entry['level']} {entry['message'][:300]}")
    return found
