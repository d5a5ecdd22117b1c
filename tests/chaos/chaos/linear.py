# SPDX-License-Identifier: Apache-2.0
"""Is there one order of all steps of a block, in which each takes effect between question and answer, that the model allows?

The search of Wing and Gong with Lowe's memory of visited sets: J. Wing, C. Gong, "Testing and Verifying Concurrent Objects" (1993);
G. Lowe, "Testing for Linearizability" (2017). Steps that change nothing are taken as soon as they fit, which loses no order: only
changes are tried in turn."""

FOREVER = 1 << 62
STEPS_MAX = 400_000


class Undecided(Exception):
    """The search was cut off."""


class Step:
    """A change (`after` is what it made, `action` how) or a question (`attempt`). Takes effect between `asked` and `told`."""

    __slots__ = ("asked", "told", "attempt", "action", "after", "bit")

    def __init__(self, asked, told, attempt=None, action=None, after=None):
        self.asked, self.told = asked, FOREVER if told is None else told
        self.attempt, self.action, self.after = attempt, action, after
        self.bit = 0

    def fits(self, model):
        return model.may_read(self.attempt) if self.after is None else model.may_write(self.action, self.after)

    def __str__(self):
        if self.after is not None:
            return f"{self.action} -> {self.after}"
        attempt = self.attempt
        shown = attempt.body if attempt.op != "list" else f"{len(attempt.body)} bookings"
        return f"{attempt.op} {attempt.args}: {shown if attempt.outcome == 'ok' else [attempt.status, attempt.code, attempt.reason]}"


class Search:
    def __init__(self, steps, model):
        self.steps = sorted(steps, key=lambda step: step.asked)
        for place, step in enumerate(self.steps):
            step.bit = 1 << place
        self.model = model
        self.all = (1 << len(self.steps)) - 1
        self.seen = set()
        self.tries = 0
        self.best = (-1, None)

    def open_steps(self, done):
        """Steps that may come next: asked before any other that is left was answered."""
        bound, found = FOREVER, []
        for step in self.steps:
            if step.bit & done:
                continue
            if step.asked > bound:
                break
            bound = min(bound, step.told)
            found.append(step)
        return found

    def settle(self, done):
        """Takes questions as long as any fits: (done, the steps that are open then)."""
        while True:
            found = self.open_steps(done)
            fitting = [step for step in found if step.after is None and step.fits(self.model)]
            if not fitting:
                return done, found
            for step in fitting:
                done |= step.bit

    def stuck(self, done, found):
        count = done.bit_count()
        if count > self.best[0]:
            self.best = count, (found, {stay.id: stay for stay in self.model.state.values()})

    def run(self):
        """True when there is an order. Depth-first, with its own stack."""
        stack = []      # (changes that can still be tried here, done before, the change taken, what it replaced)
        done, found = self.settle(0)
        choices = iter(self.changes(done, found))
        while done != self.all:
            step = next(choices, None)
            self.tries += 1
            if self.tries > STEPS_MAX:
                raise Undecided
            if step is None:
                if not stack:
                    return False
                choices, done, step, before = stack.pop()
                self.model.undo(step.after, before)
                continue
            stack.append((choices, done, step, self.model.write(step.after)))
            done, found = self.settle(done | step.bit)
            if done in self.seen:
                choices = iter(())
                continue
            self.seen.add(done)
            choices = iter(self.changes(done, found))
        return True

    def changes(self, done, found):
        fitting = [step for step in found if step.after is not None and step.fits(self.model)]
        if not fitting:
            self.stuck(done, found)
        return fitting

    def evidence(self):
        """Where the longest order ended: what could come next and does not fit, and the bookings that it speaks of."""
        found, state = self.best[1]
        first = min(found, key=lambda step: step.told)
        spoken = str(first)
        lines = [f"no order of the {len(self.steps)} steps is right; the longest has {self.best[0]} and cannot go on with",
                 f"  {'/'.join(str(one.attempt.number) for one in [first] if one.attempt)} {spoken}"]
        lines += [f"  nor with {step}" for step in found if step is not first][:6]
        lines += [f"  while there is {stay}" for stay in state.values() if stay.id[-6:] in spoken or stay.status != "cancelled"][:12]
        return "\n".join(lines)
