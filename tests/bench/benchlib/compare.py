# SPDX-License-Identifier: Apache-2.0
"""Two sides in turn, A B A B, and what comes of it."""
import statistics

from .report import FAILED, MEASURED, MET, MISSED

WARM_PART = 0.3


def median(values):
    values = [value for value in values if value is not None]
    return statistics.median(values) if values else None


def rounded(value):
    return None if value is None else float(f"{value:.5g}")


def verdict(ratio, goal, wrong):
    if wrong:
        return FAILED
    if goal is None or ratio is None:
        return MEASURED
    return MET if ratio >= goal else MISSED


def ratio_of(ours, peer, less_is_better):
    if not ours or not peer:
        return None
    return peer / ours if less_is_better else ours / peer


def sides_in_turn(sides, rounds, seconds, before):
    """{name: [Sample of each round]}; each side runs a little beforehand, which does not count."""
    samples = {name: [] for name in sides}
    for name, side in sides.items():
        before()
        side(max(1, seconds * WARM_PART))
    for _ in range(rounds):
        for name, side in sides.items():
            before()
            samples[name].append(side(seconds))
    return samples


def compare(ctx, name, unit, goal, ours, peers, value="value", less_is_better=False):
    """A row: `ours` against the best of `peers` ({name: side}); a side is a function of seconds that gives a Sample."""
    sides = ({"ours": ours} if ours else {}) | peers
    samples = sides_in_turn(sides, ctx.rounds, ctx.seconds, ctx.settle)
    wrong = [f"{side}: {sample.wrong}" for side, taken in samples.items() for sample in taken if sample.wrong]
    figures = {side: [getattr(sample, value) for sample in taken] for side, taken in samples.items()}
    best = (min if less_is_better else max)(peers, key=lambda side: median(figures[side]))
    row = {"name": name, "unit": unit, "ours": None, "peer": rounded(median(figures[best])), "peer_name": best, "ratio": None,
           "goal": goal, "peer_p50_ms": rounded(median([one.p50_ms for one in samples[best]])),
           "peer_p99_ms": rounded(median([one.p99_ms for one in samples[best]])),
           "peers": {side: [rounded(figure) for figure in figures[side]] for side in peers}}
    if ours:
        row["ours"] = rounded(median(figures["ours"]))
        row["rounds"] = [rounded(figure) for figure in figures["ours"]]
        row["ratio"] = rounded(median([ratio_of(mine, theirs, less_is_better)
                                       for mine, theirs in zip(figures["ours"], figures[best])]))
        row["p50_ms"] = rounded(median([one.p50_ms for one in samples["ours"]]))
        row["p99_ms"] = rounded(median([one.p99_ms for one in samples["ours"]]))
        row["answers"] = sum(one.answers for one in samples["ours"])
    row["status"] = verdict(row["ratio"], goal, wrong)
    if wrong:
        row["reason"] = "; ".join(sorted(set(wrong)))[:600]
    return row


def worst(name, unit, parts):
    """A row of several parts: the one that is furthest from its goal, or that failed."""
    def distance(part):
        if part["status"] == FAILED:
            return -1
        return part["ratio"] / part["goal"] if part["goal"] and part["ratio"] else float("inf")
    row = dict(min(parts, key=distance), name=name, unit=unit, parts=parts)
    row["note"] = f"as in its part '{min(parts, key=distance)['name']}'"
    return row
