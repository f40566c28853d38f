"""The learner `linear` beside Vowpal Wabbit on the same rows: events a CPU-second for predict + learn, one thread.

    pip install vowpalwabbit==9.11.9
    python benchmarks/linear_vs_vw.py PERENNIAL_DATA/elec.csv.gz --nominal day --perennial target/release/perennial

Vowpal Wabbit learns with its defaults and the logistic loss over its own binary cache: what `--passes N` costs more
than `--passes 1` over N - 1 passes is a pass without parsing text. Two figures: all its threads (one only decodes the
cache), and the thread that predicts and learns alone, which is the one to beat. perennial replays the file as many
times, and its clock runs over the training alone. Both sides are pinned to one core and take turns; medians count.
"""

import argparse
import csv
import gzip
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time


def write_vw(path, nominal, out):
    """The rows in VW's text format; returns how many. Classes become -1 and 1."""
    with gzip.open(path, "rt", newline="") as file:
        rows = csv.reader(file)
        names = next(rows)[:-1]
        first, count = None, 0
        for *values, label in rows:
            first = label if first is None else first
            fields = [f"{n}={v}" if n in nominal else f"{n}:{v}" for n, v in zip(names, values) if v]
            out.write(f"{-1 if label == first else 1} | {' '.join(fields)}\n")
            count += 1
    out.flush()
    return count


def run_vw(text, passes):
    """CPU seconds of this many passes in a process of its own: (all threads, the learning thread)."""
    with tempfile.TemporaryDirectory() as folder:
        options = f"-d {text} --cache_file {folder}/cache --passes {passes} --holdout_off --loss_function logistic --quiet"
        code = (
            "import json, time, vowpalwabbit as v\n"
            "a, t = time.process_time(), time.thread_time()\n"
            f"w = v.Workspace({options!r}); w.finish()\n"
            "print(json.dumps([time.process_time() - a, time.thread_time() - t]))\n"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=600)
        return json.loads(done.stdout.splitlines()[-1])


def vw_rate(text, events, passes):
    """Events a CPU-second: (all threads, the learning thread)."""
    one, many = run_vw(text, 1), run_vw(text, passes)
    return [events * (passes - 1) / (m - o) for o, m in zip(one, many)]


def our_run(perennial, file, nominal, times):
    """What `replay` says about the file read this many times."""
    command = [perennial, "replay", *[file] * times, "--task", "classification", "--target", "target"]
    command += ["--learner", "linear", "--json"] + (["--nominal", ",".join(nominal)] if nominal else [])
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)
    return json.loads(done.stdout)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("file", help="a .csv.gz with two classes in its last column, `target`")
    args.add_argument("--nominal", default="", help="columns whose numbers are names, comma-separated")
    args.add_argument("--perennial", default="target/release/perennial", help="the binary")
    args.add_argument("--passes", type=int, default=20)
    args.add_argument("--rounds", type=int, default=5)
    args.add_argument("--core", type=int, default=0, help="the core both are pinned to")
    args = args.parse_args()
    os.sched_setaffinity(0, {args.core})
    nominal = [name for name in args.nominal.split(",") if name]

    ours, theirs_all, theirs = [], [], []
    with tempfile.NamedTemporaryFile("w", suffix=".vw") as text:
        events = write_vw(args.file, nominal, text)
        for _ in range(args.rounds):
            ours.append(our_run(args.perennial, args.file, nominal, args.passes)["events_per_cpu_second"])
            both, learning = vw_rate(text.name, events, args.passes)
            theirs_all.append(both)
            theirs.append(learning)
            time.sleep(0.2)
    accuracy = our_run(args.perennial, args.file, nominal, 1)["accuracy"]
    median = statistics.median
    print(json.dumps({
        "file": os.path.basename(args.file),
        "events": events,
        "rounds": args.rounds,
        "linear_accuracy": accuracy,
        "linear_events_per_cpu_second": round(median(ours)),
        "vw_learning_thread_events_per_cpu_second": round(median(theirs)),
        "vw_all_threads_events_per_cpu_second": round(median(theirs_all)),
        "ratio_to_learning_thread": round(median(ours) / median(theirs), 2),
    }, indent=1))


if __name__ == "__main__":
    main()
