"""Pages walked by keyboard: from Tab to Tab, once round; on each stop the focus is seen, and what can be pressed acts.

Nothing is clicked or put into focus from outside. What would lead away from the page, or send a form, is taken note of and
held back, so that the walk goes on; what unfolds does unfold, and is walked as well.
"""

from dataclasses import dataclass, field
from typing import Any, Final

from playwright.sync_api import Page

from tests.console.inside.walking import Seen

__all__ = ["Keyboard"]

_STOPS_MAX: Final = 1_500
# What the page is watched by. `step`: what the focus is on now, what is wrong with that, and which key it waits for.
_WATCH: Final = """() => {
    const CONTROLS = 'a[href], button, input, select, textarea, summary, [tabindex]';
    const reached = new Set(), state = {done: [], last: null};
    const kind = each => each.tagName === 'INPUT' ? each.type : each.tagName.toLowerCase();
    const called = each => `${kind(each)} ${each.name || each.id || ''} "${
        (each.getAttribute('aria-label') || each.textContent || each.value || '').trim().slice(0, 40)}"`;
    const isShown = each => {
        const box = each.getBoundingClientRect();
        return each.checkVisibility({visibilityProperty: true}) && box.width > 0 && box.height > 0;
    };
    // Space on what is chosen already chooses nothing.
    const keyOf = each => each.type === 'radio' && each.checked ? ''
        : ({a: 'Enter', button: 'Enter', summary: 'Enter', checkbox: 'Space', radio: 'Space'})[kind(each)];
    // One of a kind that acts will do for those like it; what unfolds has more behind it.
    const likeness = each => kind(each) === 'summary' ? '' : [kind(each), each.className, each.name, each.form?.action
        .replace(/.*\\//, ''), each.hasAttribute('popovertarget'), each.getAttribute('type')].join();
    addEventListener('click', event => {
        const on = event.target.closest(CONTROLS);
        if (on === null) return;
        state.done.push('click');
        if (kind(on) !== 'summary' && !on.hasAttribute('popovertarget') && on.type !== 'submit') event.preventDefault();
    }, true);
    addEventListener('submit', event => { state.done.push('submit'); event.preventDefault(); }, true);
    addEventListener('invalid', () => state.done.push('submit'), true);
    addEventListener('toggle', () => state.done.push('toggle'), true);
    window.walked = {
        step: known => {
            const now = document.activeElement;
            if (now === null || now === document.body) return {place: 'nowhere'};
            const isAgain = now === state.last, isFirst = reached.size > 0 && now === reached.values().next().value;
            state.last = now;
            if (isAgain) return {place: 'same', on: called(now)};  // a field of several parts: a day, a month, a year
            if (isFirst) return {place: 'round'};
            reached.add(now);
            const look = getComputedStyle(now), box = now.getBoundingClientRect(), problems = [];
            if (!isShown(now)) problems.push('is not seen');
            if (look.outlineStyle === 'none' || parseFloat(look.outlineWidth) < 2) problems.push('does not show that it is in focus');
            if (box.bottom < 0 || box.top > innerHeight) problems.push('is not brought into sight');
            else if (box.height < innerHeight) {
                const middle = [Math.min(Math.max(box.left + box.width / 2, 1), innerWidth - 1),
                                Math.min(Math.max(box.top + box.height / 2, 1), innerHeight - 1)];
                const there = document.elementFromPoint(...middle);
                if (there && !now.contains(there) && !there.contains(now) && there.closest('.top, .bar, thead'))
                    problems.push('is hidden by what stays in its place');
            }
            const like = likeness(now);
            return {place: 'on', on: called(now), problems, key: known.includes(like) ? '' : keyOf(now) || '', like};
        },
        acted: () => state.done.splice(0),
        missed: () => {
            const groups = new Set([...reached].filter(each => each.type === 'radio').map(each => each.form?.action + each.name));
            return [...document.querySelectorAll(CONTROLS)].filter(each => isShown(each) && !each.disabled
                && each.tabIndex >= 0 && !reached.has(each)
                && !(each.type === 'radio' && groups.has(each.form?.action + each.name))).map(called);
        },
    };
}"""


@dataclass
class Keyboard:
    """Walks pages; ``done`` is what pressing has brought about, ``problems`` what a person would be stuck at."""

    done: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    _elements: dict[str, set[str]] = field(default_factory=dict)
    _pressed: list[str] = field(default_factory=list)

    def has_been_at(self, page: Seen) -> bool:
        """Say whether a page would show nothing new."""
        return page.made_of <= self._elements.get(page.route, set())

    def open(self, opened: Page, page: Seen) -> None:
        """Open a page and walk it."""
        self._elements.setdefault(page.route, set()).update(page.made_of)
        opened.goto(page.path)
        self.walk(opened, page.path)

    def walk(self, opened: Page, name: str) -> None:
        """Press Tab once round a page that is open, and what can be pressed on the way."""
        opened.evaluate(_WATCH)
        lost = 0
        for _ in range(_STOPS_MAX):
            opened.keyboard.press("Tab")
            stop: dict[str, Any] = opened.evaluate("known => walked.step(known)", self._pressed)
            lost += stop["place"] == "nowhere"
            if stop["place"] == "round" or lost > 3:
                break
            if stop["place"] == "on":
                self.problems += [f"{name}: {stop['on']} {each}" for each in stop["problems"]]
                self._press(opened, name, stop)
        else:
            self.problems.append(f"{name}: Tab does not come round again in {_STOPS_MAX}")
        missed: list[str] = opened.evaluate("walked.missed()")
        self.problems += [f"{name}: {each} is not reached" for each in missed]

    def _press(self, opened: Page, name: str, stop: dict[str, Any]) -> None:
        if not stop["key"]:
            return
        if stop["like"]:
            self._pressed.append(stop["like"])
        opened.keyboard.press(stop["key"])
        acted: list[str] = opened.evaluate("walked.acted()")
        self.done |= set(acted)
        if not acted:
            self.problems.append(f"{name}: {stop['on']} does nothing on {stop['key']}")
