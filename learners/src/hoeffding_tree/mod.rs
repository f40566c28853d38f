//! The Hoeffding tree: a decision tree that grows while it learns.
//!
//! A leaf keeps statistics of what it has seen. Every `grace` weight it compares the questions it could ask, and splits
//! when Hoeffding's bound says that the best one is the best one indeed, with probability 1 − `confidence`, or that the
//! first two are so near that it does not matter (`tie`). Time an event: one walk down the tree and one pass over the
//! leaf's statistics. Memory: at most `max_bytes`; when they are reached, the leaves that promise least keep class
//! weights (or a mean) only.
//!
//! P. Domingos, G. Hulten: Mining high-speed data streams, KDD 2000. Adaptive naive Bayes leaves: R. Gama et al. 2003,
//! G. Holmes et al. 2005. Regression: E. Ikonomovska et al.: Learning model trees from evolving data streams, 2011.
//!
//! Differences from MOA's tree, whose rules are followed otherwise: naive Bayes works with logarithms and a least
//! spread; a row whose value is missing goes down the branch that was heaviest when the split was made; a split on a
//! name has one more branch for categories that come later; a column's gain is weighed by how often it is there; a lone
//! column must gain something before it is asked.

mod arena;
mod bayes;
mod bins;
mod blocks;
mod budget;
mod classification;
mod columns;
mod deviation;
mod leaves;
mod model;
mod moments;
mod nodes;
mod regression;
mod served;
mod settings;
mod split;
mod subspaces;
#[cfg(test)]
mod tests;

pub use classification::HoeffdingTreeClassifier;
pub(crate) use classification::Visit;
pub use regression::HoeffdingTreeRegressor;
