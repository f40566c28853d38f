"""Streams that nobody tuned to: those that come with River, and its generators, as files for benchmarks/learners/run.

    target/peers/bin/python benchmarks/learners/river_streams.py FOLDER

The generators are seeded, so that the files are the same everywhere. Classes are written as words.
"""

import csv
import itertools
import pathlib
import sys

from river import datasets
from river.datasets import synth


def streams():
    """Name, stream, events at most, whether the target is a class."""
    yield "bananas", datasets.Bananas(), 5_300, True
    yield "phishing", datasets.Phishing(), 1_250, True
    yield "segments", datasets.ImageSegments(), 2_310, True
    functions = [synth.Agrawal(classification_function=f, seed=s) for f, s in ((0, 1), (4, 2))]
    yield "agrawal", synth.ConceptDriftStream(*functions, position=15_000, width=500, seed=3), 30_000, True
    yield "hyperplane", synth.Hyperplane(seed=1, n_features=20, n_drift_features=10, mag_change=0.001), 30_000, True
    yield "led", synth.LEDDrift(seed=1, noise_percentage=0.1, irrelevant_features=True, n_drift_features=4), 20_000, True
    tree = {"n_num_features": 10, "n_cat_features": 5, "n_categories_per_feature": 5, "max_tree_depth": 8, "first_leaf_level": 4}
    yield "random_tree", synth.RandomTree(seed_tree=1, seed_sample=2, **tree), 50_000, True
    drift = {"n_classes": 5, "n_features": 10, "n_centroids": 30, "change_speed": 0.0005, "n_drift_centroids": 20}
    yield "rbf", synth.RandomRBFDrift(seed_model=1, seed_sample=2, **drift), 30_000, True
    yield "sea", synth.SEA(variant=1, seed=1, noise=0.1), 20_000, True
    yield "stagger", synth.STAGGER(seed=1), 10_000, True
    yield "waveform", synth.Waveform(seed=1, has_noise=True), 20_000, True
    yield "chick_weights", datasets.ChickWeights(), 578, False
    friedman = synth.FriedmanDrift(drift_type="gra", position=(10_000, 20_000), transition_window=1_000, seed=1)
    yield "friedman", friedman, 30_000, False
    yield "mv", synth.Mv(seed=1), 30_000, False
    yield "planes", synth.Planes2D(seed=1), 30_000, False
    yield "trump_approval", datasets.TrumpApproval(), 1_001, False
    yield "water_flow", datasets.WaterFlow(), 1_268, False


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, stream, events, classes in streams():
        rows = list(itertools.islice(stream, events))
        columns = list(dict.fromkeys(column for x, _ in rows for column in x))
        with open(folder / f"{name}.csv", "w", newline="") as file:
            out = csv.writer(file)
            out.writerow([*columns, "target"])
            for x, y in rows:
                out.writerow([*(x.get(column, "") for column in columns), f"c{y}" if classes else y])


if __name__ == "__main__":
    main()
