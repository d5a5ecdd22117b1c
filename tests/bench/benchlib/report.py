# SPDX-License-Identifier: Apache-2.0
"""The table for people and the JSON for programs."""
import json
import sys

BUSY = 1.0
MET, MISSED, MEASURED, SKIPPED, FAILED = "met", "missed", "measured", "skipped", "failed"


PEERS = {"nginx": "nginx", "haproxy": "haproxy", "pgbench": "postgresql", "oidc-provider": "oidc-provider"}


def name_versions(rows, versions):
    """Peers are named with the version that was measured."""
    for row in rows:
        first, _, rest = (row.get("peer_name") or "").partition(" ")
        number = versions.get(PEERS.get(first.rstrip(",")))
        if number:
            row["peer_name"] = f"{first.rstrip(',')} {number}{',' if first.endswith(',') else ''} {rest}"
        name_versions(row.get("parts", []), versions)


def figure(value):
    if value is None:
        return "-"
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value < 10 else f"{value:.1f}"


def columns(row):
    p = [figure(row.get(name)) for name in ("p50_ms", "peer_p50_ms", "p99_ms", "peer_p99_ms")]
    return [("  " if row.get("part") else "") + row["name"], row.get("unit") or "", figure(row.get("ours")), figure(row.get("peer")),
            figure(row.get("ratio")), figure(row.get("goal")), row["status"], f"{p[0]} / {p[1]}", f"{p[2]} / {p[3]}",
            row.get("peer_name") or ""]


HEADINGS = ["row", "unit", "ours", "peer", "ratio", "goal", "", "p50 ms", "p99 ms", "peer"]
RIGHT = {2, 3, 4, 5, 7, 8}


def lines_of(rows):
    """The rows with their parts, as a table; reasons and remarks below their row."""
    table = [(HEADINGS, None)]
    for row in rows:
        for one in [row, *({**part, "part": True} for part in row.get("parts", []))]:
            table.append((columns(one), one.get("reason") or one.get("note")))
    widths = [max(len(cells[place]) for cells, _ in table) for place in range(len(HEADINGS))]
    for cells, words in table:
        yield "  ".join(cell.rjust(width) if place in RIGHT else cell.ljust(width)
                        for place, (cell, width) in enumerate(zip(cells, widths))).rstrip()
        if words:
            yield f"      {' '.join(words.split())}"


def counts_of(rows):
    counts = {name: 0 for name in (MET, MISSED, MEASURED, SKIPPED, FAILED)}
    for row in rows:
        counts[row["status"]] += 1
    return counts


def print_all(rows, about, out=sys.stdout):
    machine = about["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in about["versions"].items() if number)
    print(f"\nmachine   {machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB, Linux {machine['kernel']}; "
          f"all on cores {machine['cores_used']}; load average before {machine['load_average_before']}", file=out)
    if machine["load_average_before"] > BUSY:
        print("          it was busy with other work before this began: take these figures for noise", file=out)
    print(f"versions  {versions}", file=out)
    print(f"run       {about['rounds']} rounds of {about['seconds']:g} s for each side, in turn; medians; ratios pair by pair; "
          "larger is better\n", file=out)
    for line in lines_of(rows):
        print(line, file=out)
    counts = counts_of(rows)
    print(f"\n{counts[MET]} met, {counts[MISSED]} missed, {counts[MEASURED]} without a goal, {counts[SKIPPED]} skipped, "
          f"{counts[FAILED]} failed", file=out)


def write_json(path, rows, about):
    with open(path, "w", encoding="utf-8") as out:
        json.dump({"rows": rows, "counts": counts_of(rows), **about}, out, indent=2)
        out.write("\n")
