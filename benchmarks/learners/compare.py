"""Learners side by side; benchmarks/learners/run prepares and starts this.

Every learner runs in a process of its own, pinned to one core: one pass for accuracy and log loss (or MAE), then
`--passes` passes in one process for speed, of which peers' first is not counted (the JIT compiler warms up). Every
event is predicted, scored, learned; no prediction yet is the first class, or 0. Rows are parsed beforehand; CPU time of
all threads, garbage collection included. MOA is timed in its own loop in Java; River and Vowpal Wabbit through Python,
which is how they come. Ours is `perennial replay`: its clock runs over learning, scores and the drift detector.
Memory is the process's peak, which holds the rows too.
"""

import argparse
import csv
import gzip
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys

BEGIN, END = "<!-- learners: begin -->", "<!-- learners: end -->"

PEERS = {
    "classification": ["moa HoeffdingTree", "moa ARF-10", "moa SRP-10", "river logistic", "river ARF-10", "vw linear", "vw nn10"],
    "regression": ["moa FIMT-DD", "moa ARF-Reg-10", "river linear", "river ARF-Reg-10", "vw linear", "vw nn10"],
}
OURS = {
    "classification": ["auto", "auto:budget=cheap", "arf", "linear", "hoeffding_tree"],
    "regression": ["auto", "auto:budget=cheap", "linear", "hoeffding_tree"],
}
MEMBERS = {
    "classification": [
        "label_chain", "label_chain:order=2", "softmax", "softmax:labels=true", "newton", "newton:pairs=true", "cosines",
        "neural_net", "neural_net:rate=0.3", "neural_net:rate=0.3,labels=true", "knn", "srp",
    ],
    "regression": [
        "rls", "rls:aim=change", "rls:aim=change,keep=0.99", "rls:aim=change,keep=1", "neural_net:rate=0.2",
        "neural_net:rate=0.2,labels=true", "neural_net:aim=change,rate=0.2,labels=true", "knn", "knn:aim=change",
        "seasonal_naive", "no_change",
    ],
}


def task_of(path):
    """Regression if the target is a number of more than 50 values."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", newline="") as file:
        rows = csv.reader(file)
        target = next(rows)[-1]
        labels = {row[-1] for row in rows}
    try:
        numbers = len({float(label) for label in labels}) > 50
    except ValueError:
        numbers = False
    return ("regression" if numbers else "classification"), target


def started(command, core):
    done = subprocess.run(["taskset", "-c", str(core), *command], capture_output=True, text=True, timeout=3600)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"exit {done.returncode}")
    return json.loads(done.stdout.splitlines()[-1])


def ours(args, path, task, target, nominal, learner, passes):
    command = [args.perennial, "replay", *[str(path)] * passes, "--task", task, "--target", target, "--learner", learner, "--json"]
    return started(command + (["--nominal", ",".join(nominal)] if nominal else []), args.core)


def peer(args, path, task, nominal, name, passes):
    command = [sys.executable, str(pathlib.Path(__file__).with_name("peers.py")), str(path), task, name, str(passes), *nominal]
    return started(command, args.core)


def row(name, first, rates, error):
    loss = first.get("log_loss")
    return {
        "name": name,
        "error": error(first),
        "log_loss": loss if loss is None or math.isfinite(loss) else None,
        "rate": statistics.median(rates) if rates else None,
        "rss": first["peak_rss_bytes"],
        "bytes": first.get("model_bytes"),
    }


def compared(args, path):
    """The rows of a file's table, and those of our members."""
    task, target = task_of(path)
    name = path.name.split(".")[0]
    nominal = [column for file, _, column in (n.partition(":") for n in args.nominal) if file == name]
    error = (lambda r: r["mae"]) if task == "regression" else (lambda r: 1.0 - r["accuracy"])
    runs = [(n, lambda passes, n=n: ours(args, path, task, target, nominal, n, passes)) for n in OURS[task]]
    runs += [(n, lambda passes, n=n: peer(args, path, task, nominal, n, passes)) for n in PEERS[task]]
    runs = [(n, run) for n, run in runs if not args.without or not any(word in n for word in args.without)]
    rows, rates = [], {n: [] for n, _ in runs}
    first = {}
    for n, run in runs:
        try:
            first[n] = run(1)
            print(f"{name}: {n}: {error(first[n]):.4f}", file=sys.stderr, flush=True)
        except (RuntimeError, subprocess.TimeoutExpired) as problem:
            print(f"{name}: {n} did not run: {problem}", file=sys.stderr, flush=True)
    # In turns, so that what else the machine does meets all of them.
    for _ in range(args.rounds):
        for n, run in runs:
            if n in first:
                rates[n].append(run(args.passes)["events_per_cpu_second"])
    rows = [row(n, first[n], rates[n], error) for n, _ in runs if n in first]
    members = []
    for n in [] if args.no_members else MEMBERS[task]:
        members.append(row(n, ours(args, path, task, target, nominal, n, 1), [], error))
        print(f"{name}: {n}: {members[-1]['error']:.4f}", file=sys.stderr, flush=True)
    return name, task, rows, members


def shown(name, task, rows, members):
    head = "MAE | " if task == "regression" else "accuracy | log loss | "
    lines = [f"| {name} | {head}events a CPU-second | process at most, MB | model, MB |"]
    lines.append("|" + "---|" * lines[0].count(" | ") + "---|")
    for r in rows:
        ours = r["bytes"] is not None
        cells = [f"**{r['name']}**" if ours else r["name"]]
        cells.append(f"{r['error']:.4f}" if task == "regression" else f"{1 - r['error']:.4f}")
        if task == "classification":
            cells.append("-" if r["log_loss"] is None else f"{r['log_loss']:.3f}")
        cells.append("-" if r["rate"] is None else f"{r['rate']:,.0f}")
        cells.append(f"{r['rss'] / 1e6:.0f}")
        cells.append(f"{r['bytes'] / 1e6:.2f}" if ours else "")
        lines.append(f"| {' | '.join(cells)} |")
    by = {r["name"]: r for r in rows}
    auto, cheap, arf = by.get("auto"), by.get("auto:budget=cheap"), by.get("moa ARF-10")
    said = []
    if auto and cheap and arf and arf["rate"]:
        said.append(f"`auto` ÷ MOA's ARF-10: {auto['rate'] / arf['rate']:.1f}; `cheap` ÷ ARF-10: {cheap['rate'] / arf['rate']:.1f}.")
    if auto and members:
        best = min(members, key=lambda r: r["error"])
        gain = best["error"] - auto["error"]
        gain = f"{gain / best['error']:+.1%} of MAE" if task == "regression" else f"{100 * gain:+.2f} points"
        said.append(f"`auto` against the best of its members by name (`{best['name']}`, {best['error'] if task == 'regression' else 1 - best['error']:.4f}): {gain}.")
    peers = [r for r in rows if r["bytes"] is None]
    if auto and peers:
        lost = [f"{r['name']} is more accurate" for r in peers if r["error"] < auto["error"]]
        lost += [f"{r['name']} has a lower log loss" for r in peers if r["log_loss"] and r["log_loss"] < (auto["log_loss"] or 0)]
        lost += [f"{r['name']} is faster" for r in peers if r["rate"] and auto["rate"] and r["rate"] > auto["rate"]]
        said.append("`auto` loses: " + ("; ".join(lost) if lost else "nothing") + ".")
    return "\n".join([*lines, "", *said])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path, help="with .csv or .csv.gz files, the target in the last column")
    parser.add_argument("--only", nargs="*", default=[], help="names of files, without their endings")
    parser.add_argument("--without", nargs="*", default=[], help="learners whose name holds one of these words")
    parser.add_argument("--nominal", nargs="*", default=[], metavar="FILE:COLUMN", help="numbers that are names")
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=1, help="of the passes for speed; the median counts")
    parser.add_argument("--no-members", action="store_true", help="leaves out the members of auto by their names")
    parser.add_argument("--core", type=int, default=0)
    parser.add_argument("--perennial", default="target/release/perennial", help="the binary")
    parser.add_argument("--write", type=pathlib.Path, help="a page to put the tables into, between its two marks")
    args = parser.parse_args()
    tables = []
    for path in sorted(args.folder.iterdir()):
        if path.name.endswith((".csv", ".csv.gz")) and (not args.only or path.name.split(".")[0] in args.only):
            tables.append(shown(*compared(args, path)))
            print(tables[-1], flush=True)
    if args.write:
        page = args.write.read_text()
        before, rest = page.split(BEGIN)
        args.write.write_text(before + BEGIN + "\n" + "\n\n".join(tables) + "\n" + END + rest.split(END)[1])


if __name__ == "__main__":
    main()
