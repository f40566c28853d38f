"""One learner of MOA, River or Vowpal Wabbit over one file, for compare.py:

    peers.py FILE TASK NAME PASSES [NOMINAL COLUMN …]

Prints accuracy and log loss (probabilities floored at 1e-15), or MAE, of the first pass, events a CPU-second of the
others (of the first if it is the only one), and the process's peak memory.
"""

import csv
import gzip
import importlib.util
import json
import math
import pathlib
import resource
import sys
import time


class Scores:
    """Predict → score, by the same rule for everybody."""

    def __init__(self, classes):
        self.classes, self.events, self.right, self.loss, self.away = classes, 0, 0, 0.0, 0.0

    def probabilities(self, said, label):
        """`said`: non-negative scores a class, as many as there are; all zero is no prediction."""
        total = math.fsum(said)
        self.events += 1
        named = max(range(len(said)), key=said.__getitem__) if total > 0 else 0
        self.right += named == label
        even = 1.0 / self.classes
        p = (said[label] / total if label < len(said) else 0.0) if total > 0 and math.isfinite(total) else even
        self.loss -= math.log(min(max(p, 1e-15), 1.0))

    def value(self, said, y):
        self.events += 1
        self.away += abs((said if math.isfinite(said) else 0.0) - y)

    def report(self):
        if self.classes:
            return {"accuracy": self.right / self.events, "log_loss": self.loss / self.events}
        return {"mae": self.away / self.events}


def rows_of(path, task, nominal):
    """Column names, rows of numbers (names as their order of appearance, missing NaN), targets, number of classes."""
    opened = gzip.open if path.endswith(".gz") else open
    with opened(path, "rt", newline="") as file:
        names, *lines = csv.reader(file)
    words = set(nominal)
    for place, name in enumerate(names[:-1]):
        if any(line[place] and not number(line[place]) for line in lines[:1000]):
            words.add(name)
    seen = {place: {} for place, name in enumerate(names[:-1]) if name in words}
    labels, rows, targets = {}, [], []
    for line in lines:
        values = []
        for place, text in enumerate(line[:-1]):
            if place in seen and text:
                values.append(float(seen[place].setdefault(text, len(seen[place]))))
            else:
                values.append(float(text) if text else math.nan)
        rows.append(values)
        targets.append(float(line[-1]) if task == "regression" else labels.setdefault(line[-1], len(labels)))
    return names[:-1], {place: len(of) for place, of in seen.items()}, rows, targets, len(labels)


def number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


def river_model(name, task):
    from river import compose, forest, linear_model, multiclass, preprocessing

    if name == "ARF-10":
        return forest.ARFClassifier(n_models=10, seed=1)
    if name == "ARF-Reg-10":
        return forest.ARFRegressor(n_models=10, seed=1)
    names = compose.SelectType(str) | preprocessing.OneHotEncoder()
    inputs = (compose.SelectType(float) | preprocessing.StandardScaler()) + names
    if task == "regression":
        return inputs | linear_model.LinearRegression()
    return inputs | multiclass.OneVsRestClassifier(linear_model.LogisticRegression())


def river(name, task, data, passes):
    names, nominal, rows, targets, classes = data
    asked = [
        {n: str(int(v)) if place in nominal else v for place, (n, v) in enumerate(zip(names, row)) if not math.isnan(v)}
        for row in rows
    ]
    model, scores, seconds = river_model(name, task), Scores(classes), []
    for turn in range(passes):
        begin = time.process_time()
        for x, y in zip(asked, targets):
            if classes:
                said = model.predict_proba_one(x)
                if turn == 0:
                    scores.probabilities([said.get(k, 0.0) for k in range(classes)], y)
            else:
                said = model.predict_one(x)
                if turn == 0:
                    scores.value(said or 0.0, y)
            model.learn_one(x, y)
        seconds.append(time.process_time() - begin)
    return scores, seconds


def vw(name, task, data, passes):
    from vowpalwabbit import pyvw

    names, nominal, rows, targets, classes = data
    options = {"linear": "", "nn10": "--nn 10"}[name]
    if classes:
        options += f" --oaa {classes} --loss_function logistic --probabilities"
    space = pyvw.Workspace(f"--quiet --random_seed 1 {options}")
    examples = []
    for row, y in zip(rows, targets):
        fields = [
            f"c{place}={int(v)}" if place in nominal else f"c{place}:{v}" for place, v in enumerate(row) if not math.isnan(v)
        ]
        examples.append(space.parse(f"{y + 1 if classes else y} | {' '.join(fields)}"))
    scores, seconds = Scores(classes), []
    for turn in range(passes):
        begin = time.process_time()
        for example, y in zip(examples, targets):
            said = space.predict(example)
            if turn == 0:
                scores.probabilities(list(said), y) if classes else scores.value(said, y)
            space.learn(example)
        seconds.append(time.process_time() - begin)
    return scores, seconds


MOA = {
    "HoeffdingTree": ("trees.HoeffdingTree", "-c 0.001 -z -p"),
    "ARF-10": ("meta.AdaptiveRandomForest", "-s 10"),
    "SRP-10": ("meta.StreamingRandomPatches", "-s 10"),
    "FIMT-DD": ("trees.FIMTDD", ""),
    "ARF-Reg-10": ("meta.AdaptiveRandomForestRegressor", "-s 10"),
}


def moa(name, task, data, passes):
    import jpype

    # The package itself would import torch and pandas; only its jar is needed.
    folder = pathlib.Path(importlib.util.find_spec("capymoa").origin).parent
    jpype.startJVM("-Xmx2g", classpath=[str(folder / "jar" / "moa.jar")])
    java, instances = jpype.JClass, "com.yahoo.labs.samoa.instances."
    names, nominal, rows, targets, classes = data
    attributes = java("java.util.ArrayList")()
    values = lambda count: java("java.util.ArrayList")([str(i) for i in range(count)])
    for place, column in enumerate(names):
        attribute = java(instances + "Attribute")
        attributes.add(attribute(column, values(nominal[place])) if place in nominal else attribute(column))
    attribute = java(instances + "Attribute")
    attributes.add(attribute("target", values(classes)) if classes else attribute("target"))
    held = java(instances + "Instances")("rows", attributes, len(rows))
    held.setClassIndex(len(names))
    header = java(instances + "InstancesHeader")(held)
    for row, y in zip(rows, targets):
        instance = java(instances + "DenseInstance")(1.0, [*row, float(y)])
        instance.setDataset(header)
        held.add(instance)

    def built():
        learner = java("moa.classifiers." + MOA[name][0])()
        learner.getOptions().setViaCLIString(MOA[name][1])
        learner.setModelContext(header)
        learner.prepareForUse()
        return learner

    scores, seconds = Scores(classes), []
    if passes == 1:
        learner, example = built(), java("moa.core.InstanceExample")
        begin = time.process_time()
        for i, y in enumerate(targets):
            instance = held.get(i)
            votes = list(learner.getVotesForInstance(instance))
            scores.probabilities(votes, y) if classes else scores.value(votes[0] if votes else 0.0, y)
            learner.trainOnInstance(instance)
        return scores, [time.process_time() - begin]
    learner = built()
    kind = "BasicClassificationPerformanceEvaluator" if classes else "BasicRegressionPerformanceEvaluator"
    loop = java("moa.evaluation.EfficientEvaluationLoops").PrequentialEvaluation
    for _ in range(passes):
        stream = java("moa.streams.CachedInstancesStream")(held)
        begin = time.process_time()
        loop(stream, learner, java("moa.evaluation." + kind)(), None, len(rows), len(rows), False, False)
        seconds.append(time.process_time() - begin)
    return scores, seconds


def main():
    path, task, name, passes, *nominal = sys.argv[1:]
    data = rows_of(path, task, nominal)
    library, _, learner = name.partition(" ")
    scores, seconds = {"moa": moa, "river": river, "vw": vw}[library](learner, task, data, int(passes))
    counted = seconds[1:] or seconds
    report = scores.report() if scores.events else {}
    report["events_per_cpu_second"] = len(data[2]) * len(counted) / sum(counted)
    report["peak_rss_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps(report))


if __name__ == "__main__":
    main()
