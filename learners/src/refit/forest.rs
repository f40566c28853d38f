//! Decision trees and random forests of smartcore, as one flat array of nodes.

use serde::{Deserialize, Serialize};
use smartcore::ensemble::random_forest_classifier::{RandomForestClassifier, RandomForestClassifierParameters};
use smartcore::ensemble::random_forest_regressor::{RandomForestRegressor, RandomForestRegressorParameters};
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::tree::decision_tree_classifier::{DecisionTreeClassifier, DecisionTreeClassifierParameters};
use smartcore::tree::decision_tree_regressor::{DecisionTreeRegressor, DecisionTreeRegressorParameters};

use super::fit::{FitError, FitSpec, Labels, Matrix, ModelKind};

/// An inner node sends a row to `below` if `x[column] <= number`, else to `above`. A leaf (`column` = [`LEAF`]) says
/// `number`: a class's place, or a value.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Node {
    column: u32,
    below: u32,
    above: u32,
    number: f64,
}

const LEAF: u32 = u32::MAX;

/// One or more trees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Forest {
    nodes: Vec<Node>,
    /// The first node of each tree; children stand after their parents.
    roots: Vec<u32>,
}

/// smartcore's fields, as it serialises them.
#[derive(Deserialize)]
struct LibraryTree {
    nodes: Vec<LibraryNode>,
}

#[derive(Deserialize)]
struct LibraryNode {
    output: f64,
    split_feature: u32,
    split_value: Option<f64>,
    true_child: Option<u32>,
    false_child: Option<u32>,
}

type X = DenseMatrix<f64>;

/// smartcore's models.
enum Library {
    ForestOfClasses(RandomForestClassifier<f64, u32, X, Vec<u32>>),
    ForestOfValues(RandomForestRegressor<f64, f64, X, Vec<f64>>),
    TreeOfClasses(DecisionTreeClassifier<f64, u32, X, Vec<u32>>),
    TreeOfValues(DecisionTreeRegressor<f64, f64, X, Vec<f64>>),
}

fn failed(e: impl std::fmt::Display) -> FitError {
    FitError::Library(e.to_string())
}

impl Library {
    fn fit(spec: &FitSpec, seed: u64, matrix: &Matrix) -> Result<Self, FitError> {
        let x = DenseMatrix::new(matrix.rows, matrix.columns, matrix.x.clone(), false).map_err(failed)?;
        let (depth, trees) = (Some(spec.depth), spec.trees);
        let forest = spec.model == ModelKind::RandomForest;
        // A tree has fewer than two nodes a leaf: so many rows a leaf keep the forest within its bytes.
        let all_nodes = 2 * matrix.rows * size_of::<Node>() * if forest { usize::from(trees) } else { 1 };
        let leaf = spec.leaf.max(all_nodes.div_ceil(spec.max_bytes / 2));
        let split = 2 * leaf;
        let fitted = match (&matrix.y, forest) {
            (Labels::Classes(y, _), true) => {
                let mut p = RandomForestClassifierParameters::default().with_n_trees(trees).with_seed(seed);
                (p.max_depth, p.min_samples_leaf, p.min_samples_split) = (depth, leaf, split);
                RandomForestClassifier::fit(&x, y, p).map(Self::ForestOfClasses)
            }
            (Labels::Values(y), true) => {
                let mut p = RandomForestRegressorParameters::default().with_n_trees(trees.into()).with_seed(seed);
                (p.max_depth, p.min_samples_leaf, p.min_samples_split) = (depth, leaf, split);
                RandomForestRegressor::fit(&x, y, p).map(Self::ForestOfValues)
            }
            (Labels::Classes(y, _), false) => {
                let mut p = DecisionTreeClassifierParameters { seed: Some(seed), ..Default::default() };
                (p.max_depth, p.min_samples_leaf, p.min_samples_split) = (depth, leaf, split);
                DecisionTreeClassifier::fit(&x, y, p).map(Self::TreeOfClasses)
            }
            (Labels::Values(y), false) => {
                let mut p = DecisionTreeRegressorParameters { seed: Some(seed), ..Default::default() };
                (p.max_depth, p.min_samples_leaf, p.min_samples_split) = (depth, leaf, split);
                DecisionTreeRegressor::fit(&x, y, p).map(Self::TreeOfValues)
            }
        };
        fitted.map_err(failed)
    }

    /// The trees' nodes, by way of the serialised form: smartcore keeps them private.
    fn trees(&self) -> Result<Vec<LibraryTree>, FitError> {
        let (json, place) = match self {
            Self::ForestOfClasses(model) => (serde_json::to_value(model), "/trees"),
            Self::ForestOfValues(model) => (serde_json::to_value(model), "/forest_regressor/trees"),
            Self::TreeOfClasses(model) => (serde_json::to_value(model), ""),
            Self::TreeOfValues(model) => (serde_json::to_value(model), "/tree_regressor"),
        };
        let mut json = json.map_err(failed)?;
        let trees = json.pointer_mut(place).ok_or_else(|| failed("no trees"))?.take();
        if trees.is_array() {
            serde_json::from_value(trees).map_err(failed)
        } else {
            serde_json::from_value(trees).map(|tree| vec![tree]).map_err(failed)
        }
    }
}

impl Forest {
    /// Fits trees to the matrix.
    pub(super) fn fit(spec: &FitSpec, seed: u64, matrix: &Matrix) -> Result<Self, FitError> {
        Self::flat(&Library::fit(spec, seed, matrix)?.trees()?)
    }

    fn flat(trees: &[LibraryTree]) -> Result<Self, FitError> {
        let (mut nodes, mut roots) = (Vec::new(), Vec::new());
        for tree in trees {
            let root = nodes.len() as u32;
            roots.push(root);
            nodes.extend(tree.nodes.iter().map(|node| match (node.true_child, node.false_child) {
                (Some(below), Some(above)) => Node {
                    column: node.split_feature,
                    below: root + below,
                    above: root + above,
                    number: node.split_value.unwrap_or(f64::NAN),
                },
                _ => Node { column: LEAF, below: 0, above: 0, number: node.output },
            }));
        }
        if roots.is_empty() || trees.iter().any(|tree| tree.nodes.is_empty()) {
            return Err(failed("no trees"));
        }
        Ok(Self { nodes, roots })
    }

    /// What each tree says of a row, tree after tree.
    fn leaves(&self, x: &[f64]) -> impl Iterator<Item = f64> {
        self.roots.iter().map(move |root| {
            let mut node = &self.nodes[*root as usize];
            while node.column != LEAF {
                let next = if x[node.column as usize] <= node.number { node.below } else { node.above };
                node = &self.nodes[next as usize];
            }
            node.number
        })
    }

    /// The mean of the trees.
    pub(super) fn mean(&self, x: &[f64]) -> f64 {
        self.leaves(x).sum::<f64>() / self.roots.len() as f64
    }

    /// Each class's share of the trees' votes, one more vote being spread over all classes: the library's trees know
    /// no shares, and nothing is certain.
    pub(super) fn shares_into(&self, x: &[f64], classes: usize, out: &mut Vec<f64>) {
        out.resize(classes, 1.0 / classes as f64);
        self.leaves(x).for_each(|class| out[class as usize] += 1.0);
        let votes = self.roots.len() as f64 + 1.0;
        out.iter_mut().for_each(|share| *share /= votes);
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.nodes) + size_of_val(&*self.roots)
    }

    pub(super) fn is_finite(&self) -> bool {
        self.nodes.iter().all(|node| node.number.is_finite())
    }

    /// Whether each path ends, within the columns, at a class (of so many) or a value.
    pub(super) fn is_sound(&self, columns: usize, classes: Option<usize>) -> bool {
        let sound = |(i, node): (usize, &Node)| match node.column {
            LEAF => classes.is_none_or(|classes| node.number >= 0.0 && node.number < classes as f64),
            column => {
                let after = |child: u32| child as usize > i && (child as usize) < self.nodes.len();
                (column as usize) < columns && after(node.below) && after(node.above)
            }
        };
        let starts = !self.roots.is_empty() && self.roots.iter().all(|root| (*root as usize) < self.nodes.len());
        starts && self.nodes.iter().enumerate().all(sound)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{matrix, spec};
    use super::*;
    use features::Task;

    impl Library {
        fn predict(&self, matrix: &Matrix) -> Vec<f64> {
            let x = DenseMatrix::new(matrix.rows, matrix.columns, matrix.x.clone(), false).unwrap();
            let numbers = |classes: Vec<u32>| classes.into_iter().map(f64::from).collect();
            match self {
                Self::ForestOfClasses(model) => numbers(model.predict(&x).unwrap()),
                Self::ForestOfValues(model) => model.predict(&x).unwrap(),
                Self::TreeOfClasses(model) => numbers(model.predict(&x).unwrap()),
                Self::TreeOfValues(model) => model.predict(&x).unwrap(),
            }
        }
    }

    #[test]
    fn the_flat_trees_predict_what_the_library_predicts() {
        for model in [ModelKind::RandomForest, ModelKind::DecisionTree] {
            for (task, classes) in [(Task::Regression, 0), (Task::Classification, 2), (Task::Classification, 5)] {
                let matrix = matrix(400, classes);
                let library = Library::fit(&spec(model, task), 7, &matrix).unwrap();
                let forest = Forest::flat(&library.trees().unwrap()).unwrap();
                assert!(forest.nodes.len() > 20 && forest.is_sound(matrix.columns, (classes > 0).then_some(classes)));
                for (x, theirs) in matrix.x.chunks(matrix.columns).zip(library.predict(&matrix)) {
                    let ours = if classes == 0 {
                        forest.mean(x)
                    } else {
                        let mut shares = Vec::new();
                        forest.shares_into(x, classes, &mut shares);
                        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
                        // The first among equals, as the library has it.
                        let best = shares.iter().copied().fold(0.0, f64::max);
                        shares.iter().position(|share| *share == best).unwrap() as f64
                    };
                    assert_eq!(ours, theirs);
                }
            }
        }
    }

    #[test]
    fn a_small_budget_makes_larger_leaves() {
        let matrix = matrix(400, 0);
        let small = FitSpec { max_bytes: 4_096, ..spec(ModelKind::RandomForest, Task::Regression) };
        assert!(Forest::fit(&small, 1, &matrix).unwrap().bytes() <= 4_096);
    }
}
