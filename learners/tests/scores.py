"""Our scores beside scikit-learn's: over all events, over the last 1,000, and fading by 0.999.

  scores.py PROGRAM   random streams go through PROGRAM (the example `score`); every number is compared
  scores.py --golden  prints scikit-learn's numbers for the streams of learners/src/scores/tests.rs
"""

import json
import subprocess
import sys

import numpy as np
from sklearn import metrics

WINDOW, FADING, TOLERANCE = 1_000, 0.999, 1e-8


def weights(events):
    """Of each event, by what scores are taken over."""
    recent = np.zeros(events)
    recent[-WINDOW:] = 1
    return {"all": np.ones(events), "rolling": recent, "fading": FADING ** np.arange(events - 1.0, -1, -1)}


def again(labels):
    """Whether a label is the one before; whether it is the most frequent so far, the lowest among equals."""
    same = np.r_[False, labels[1:] == labels[:-1]]
    counts, common = np.zeros(labels.max() + 1), []
    for label in labels:
        common.append(counts.any() and counts.argmax() == label)
        counts[label] += 1
    return same, np.array(common)


def above(accuracy, base):
    return (accuracy - base) / (1 - base)


def classification(labels, p, w):
    said, each = p.argmax(1), np.arange(p.shape[1])
    used = w > 0
    labels, p, w, said = labels[used], p[used], w[used], said[used]
    mean = lambda x: np.average(x, weights=w)
    accuracy = metrics.accuracy_score(labels, said, sample_weight=w)
    confidence = p.max(1)
    bins = np.minimum((confidence * 10).astype(int), 9)
    gaps = [abs((w * ((said == labels) - confidence))[bins == b].sum()) for b in range(10)]
    areas = [metrics.roc_auc_score(labels == k, p[:, k], sample_weight=w) for k in each]
    with_k = lambda f: f(labels, said, sample_weight=w, labels=each, average=None, zero_division=np.nan)
    return {
        "accuracy": accuracy,
        "kappa": metrics.cohen_kappa_score(labels, said, sample_weight=w),
        "log_loss": metrics.log_loss(labels, p, sample_weight=w, labels=each),
        "brier": metrics.brier_score_loss(labels, p, sample_weight=w, labels=each, scale_by_half=False),
        "f1": metrics.f1_score(labels, said, sample_weight=w, average="macro"),
        "mcc": metrics.matthews_corrcoef(labels, said, sample_weight=w),
        "ece": sum(gaps) / w.sum(),
        "auc": np.mean(areas),
        "classes": {
            "share": [mean(labels == k) for k in each],
            "precision": with_k(metrics.precision_score),
            "recall": with_k(metrics.recall_score),
            "f1": with_k(metrics.f1_score),
            "auc": areas,
        },
    }


def regression(y, p, ends, w):
    used = w > 0
    naive = np.abs(y - np.r_[0, y[:-1]])[used]
    y, p, ends, w = y[used], p[used], ends[used], w[used]
    at = lambda level, end: metrics.mean_pinball_loss(y, p + end, alpha=level, sample_weight=w)
    mae = metrics.mean_absolute_error(y, p, sample_weight=w)
    return {
        "mae": mae,
        "rmse": metrics.root_mean_squared_error(y, p, sample_weight=w),
        "r2": metrics.r2_score(y, p, sample_weight=w),
        "mase": mae / np.average(naive, weights=w),
        "pinball": (at(0.05, ends[:, 0]) + at(0.95, ends[:, 1])) / 2,
        "coverage": np.average((p + ends[:, 0] <= y) & (y <= p + ends[:, 1]), weights=w),
    }


def score(program, task, columns):
    lines = "\n".join(",".join(repr(float(x)) for x in row) for row in columns)
    result = subprocess.run([program, task], input=lines, capture_output=True, text=True, check=True)
    return json.loads(result.stdout)


def close(name, got, expected, tolerance=TOLERANCE):
    assert got is not None, f"{name} is absent, expected {expected}"
    assert abs(got - expected) <= tolerance * max(1, abs(expected)), f"{name} is {got}, expected {expected}"


def of(report, over):
    return report if over == "all" else report[over]


def check_classes(program, rng, events, classes, sharpness):
    labels = rng.choice(classes, events, p=rng.dirichlet(np.full(classes, 2.0)))
    labels[-classes:] = range(classes)
    p = rng.gamma(0.7, size=(events, classes)) + sharpness * rng.random((events, 1)) * np.eye(classes)[labels]
    p /= p.sum(1, keepdims=True)
    report = score(program, "classification", np.c_[labels, p])["report"]
    same, common = again(labels)
    for over, w in weights(events).items():
        got, expected = of(report, over), classification(labels, p, w)
        for base, flags in (("kappa_t", same), ("kappa_m", common)):
            expected[base] = above(expected["accuracy"], np.average(flags, weights=w))
        each, area = expected.pop("classes"), expected.pop("auc")
        for name, number in expected.items():
            close(f"{over} {name} of {classes} classes", got[name], number)
        if classes <= 8:
            close(f"{over} auc", got["auc"], area, got["auc_error"] + 1e-12)
            assert got["auc_error"] < 0.01, f"{over}: the area is known to {got['auc_error']} only"
        else:
            assert "auc" not in got
        for k, class_report in enumerate(report["classes"]):
            own = of(class_report, over)
            for name, numbers in each.items():
                if name == "auc":
                    if classes <= 8:
                        close(f"{over} auc of {k}", own["auc"], numbers[k], 0.01)
                elif not np.isnan(numbers[k]):
                    close(f"{over} {name} of {k}", own[name], numbers[k])


def check_values(program, rng, events, scale, shift):
    y = shift + scale * np.cumsum(rng.normal(size=events))
    p = y + scale * rng.standard_t(3, size=events) * (1 + np.arange(events) / events)
    answer = score(program, "regression", np.c_[y, p])
    ends = np.array(answer["ends"])
    for over, w in weights(events).items():
        for name, number in regression(y, p, ends, w).items():
            close(f"{over} {name} at {shift} by {scale}", of(answer["report"], over)[name], number)


def check(program):
    rng = np.random.default_rng(1)
    for events in (50, 1_000, 1_700, 5_000):
        for classes in (2, 3, 8, 12):
            for sharpness in (0.3, 3.0):
                check_classes(program, rng, events, classes, sharpness)
        for scale, shift in ((1.0, 0.0), (1e-6, 5.0), (1e6, -1e9)):
            check_values(program, rng, events, scale, shift)
    print("scores agree with scikit-learn's")


def mixed(i, seed):
    x = (i * 2_654_435_761 + seed * 2_246_822_519) % 2**32
    x = (x ^ x >> 15) * 2_246_822_519 % 2**32
    return (x ^ x >> 13) / 2**32


def golden():
    events, classes = 1_500, 3
    labels = np.array([int(classes * mixed(i, 1) ** 2) for i in range(events)])
    p = np.array([[mixed(i, 2 + k) + (k == labels[i]) * mixed(i, 9) for k in range(classes)] for i in range(events)])
    p /= p.sum(1, keepdims=True)
    y = np.array([10 * mixed(i // 4, 20) + mixed(i, 21) for i in range(events)])
    said = np.array([y[i] + 4 * mixed(i, 22) - 1 for i in range(events)])
    for over, w in weights(events).items():
        numbers = classification(labels, p, w)
        each = numbers.pop("classes")
        numbers |= {f"{name} of 2": each[name][2] for name in ("precision", "recall", "f1", "auc")}
        numbers |= {k: v for k, v in regression(y, said, np.zeros((events, 2)), w).items() if k in ("mae", "rmse", "r2", "mase")}
        for name, number in numbers.items():
            print(f'    ("{over}", "{name}", {float(number)!r}),')


golden() if sys.argv[1:] == ["--golden"] else check(sys.argv[1])
