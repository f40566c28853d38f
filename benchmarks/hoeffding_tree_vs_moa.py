"""The learner `hoeffding_tree` beside MOA's Hoeffding tree on the same rows: accuracy, and events a CPU-second for
predict + score + learn.

    pip install --no-deps capymoa==0.15.1 && pip install JPype1    # Java 17; CapyMOA's wheel holds moa.jar
    python benchmarks/hoeffding_tree_vs_moa.py PERENNIAL_DATA/elec.csv.gz --nominal day \
        --perennial target/release/perennial

MOA runs as CapyMOA runs it: the loop `EfficientEvaluationLoops` in Java, CapyMOA's default options (grace 200,
confidence 0.001), rows already parsed and held in memory. Both sides are pinned to one core and take turns; each reads
the file five times in one process, MOA's first pass is not counted (the JIT compiler warms up), parsing is counted on
neither side; CPU time of all threads, garbage collection included. Medians over the rounds count.
"""

import argparse
import csv
import gzip
import importlib.util
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

PASSES = 5


def moa_passes(path, nominal, options):
    """Accuracy of the first pass, and CPU seconds of each, by MOA in this process."""
    import jpype

    # The package itself would import torch and pandas; only its jar is needed.
    folder = pathlib.Path(importlib.util.find_spec("capymoa").origin).parent
    jpype.startJVM("-Xmx2g", classpath=[str(folder / "jar" / "moa.jar")])
    java = jpype.JClass
    instances = "com.yahoo.labs.samoa.instances."
    with gzip.open(path, "rt", newline="") as file:
        names, *rows = csv.reader(file)
    places = {names.index(name): {} for name in [*nominal, names[-1]]}
    attributes = java("java.util.ArrayList")()
    for row in rows:
        for place, seen in places.items():
            seen.setdefault(row[place], len(seen))
    for place, name in enumerate(names):
        if place in places:
            labels = java("java.util.ArrayList")()
            for label in places[place]:
                labels.add(label)
            attributes.add(java(instances + "Attribute")(name, labels))
        else:
            attributes.add(java(instances + "Attribute")(name))
    data = java(instances + "Instances")("rows", attributes, len(rows))
    data.setClassIndex(len(names) - 1)
    header = java(instances + "InstancesHeader")(data)
    for row in rows:
        values = [float(places[p][v]) if p in places else float(v or "nan") for p, v in enumerate(row)]
        instance = java(instances + "DenseInstance")(1.0, values)
        instance.setDataset(header)
        data.add(instance)
    tree = java("moa.classifiers.trees.HoeffdingTree")()
    tree.getOptions().setViaCLIString(options)
    tree.setModelContext(header)
    tree.prepareForUse()
    loop = java("moa.evaluation.EfficientEvaluationLoops").PrequentialEvaluation
    accuracy, seconds = None, []
    for _ in range(PASSES):
        stream = java("moa.streams.CachedInstancesStream")(data)
        scores = java("moa.evaluation.BasicClassificationPerformanceEvaluator")()
        begin = time.process_time()
        loop(stream, tree, scores, None, len(rows), len(rows), False, False)
        seconds.append(time.process_time() - begin)
        if accuracy is None:
            accuracy = float(scores.getFractionCorrectlyClassified())
    return {"events": len(rows), "accuracy": accuracy, "seconds": seconds, "nodes": int(tree.getNodeCount())}


def run_moa(args):
    command = [sys.executable, __file__, args.file, "--nominal", args.nominal, "--moa-options", args.moa_options]
    done = subprocess.run([*command, "--only-moa"], capture_output=True, text=True, check=True, timeout=600)
    return json.loads(done.stdout.splitlines()[-1])


def run_ours(args, passes):
    command = [args.perennial, "replay", *[args.file] * passes, "--task", "classification", "--target", "target"]
    command += ["--learner", args.learner, "--json"] + (["--nominal", args.nominal] if args.nominal else [])
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)
    return json.loads(done.stdout)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("file", help="a .csv.gz with the class in its last column, `target`")
    args.add_argument("--nominal", default="", help="columns whose numbers are names, comma-separated")
    args.add_argument("--perennial", default="target/release/perennial", help="the binary")
    args.add_argument("--learner", default="hoeffding_tree")
    args.add_argument("--moa-options", default="-c 0.001 -z -p", help="CapyMOA's by default")
    args.add_argument("--rounds", type=int, default=5)
    args.add_argument("--core", type=int, default=0, help="the core both are pinned to")
    args.add_argument("--only-moa", action="store_true", help="MOA's side alone, once")
    args = args.parse_args()
    os.sched_setaffinity(0, {args.core})
    if args.only_moa:
        nominal = [name for name in args.nominal.split(",") if name]
        print(json.dumps(moa_passes(args.file, nominal, args.moa_options)))
        return

    ours, theirs = [], []
    for _ in range(args.rounds):
        moa = run_moa(args)
        theirs.append(moa["events"] * (PASSES - 1) / sum(moa["seconds"][1:]))
        ours.append(run_ours(args, PASSES)["events_per_cpu_second"])
    median = statistics.median
    print(json.dumps({
        "file": os.path.basename(args.file),
        "events": moa["events"],
        "rounds": args.rounds,
        "accuracy": run_ours(args, 1)["accuracy"],
        "moa_accuracy": round(moa["accuracy"], 5),
        "events_per_cpu_second": round(median(ours)),
        "moa_events_per_cpu_second": round(median(theirs)),
        "ratio": round(median(ours) / median(theirs), 1),
    }, indent=1))


if __name__ == "__main__":
    main()
