//! Which members a learner of the catalog has.

use crate::budget::{Budget, List};
use crate::members::{AnyMember, Cosines, Forest, Hashed, Knn, LabelChain, NeuralNet, Newton, Softmax, Source};
use crate::{Params, SpecError};

/// Bytes of a forest at most, and below which there is none.
const FOREST_BYTES: usize = 16 << 20;
const LEAST_FOREST_BYTES: usize = 1 << 20;

/// Members with their names, in the order in which bytes and operations are spent, and the budget if they are combined.
type Lineup = (Vec<(&'static str, AnyMember)>, Option<Budget>);

/// The members of the learner that the catalog calls `name`.
pub(super) fn of(name: &str, params: &Params<'_>) -> Result<Lineup, SpecError> {
    if name == "auto" {
        let budget = Budget::read(params)?;
        return Ok((auto(params, budget.list)?, Some(budget)));
    }
    let seed = params.seed()?;
    let rate = |usual: f64| params.number("rate", usual, 1e-4, 100.0);
    let labels = || Ok::<_, SpecError>(params.choice("labels", &["false", "true"])? == 1);
    let pairs = || Ok::<_, SpecError>(params.choice("pairs", &["false", "true"])? == 1);
    // Says nothing here, but is to be right.
    params.choice("aim", &["target", "change"])?;
    let member = match name {
        "label_chain" => {
            let order = params.whole("order", 1, 0, 2)?;
            let usual = [0.99, 0.998, 0.999][order as usize];
            AnyMember::LabelChain(LabelChain::new(order as u8, params.number("keep", usual, 0.0, 1.0)?))
        }
        "softmax" => AnyMember::Softmax(Softmax::new(rate(0.4)?, labels()?)),
        "neural_net" => AnyMember::NeuralNet(NeuralNet::new(rate(0.1)?, labels()?, seed)),
        "newton" => AnyMember::Newton(Newton::new(params.number("keep", 0.999, 0.5, 1.0)?, pairs()?)),
        "cosines" => {
            let count = params.whole("count", 150, 1, 1_000)? as usize;
            AnyMember::Cosines(Cosines::new(count, params.number("keep", 0.9998, 0.5, 1.0)?, seed))
        }
        "knn" => {
            let neighbours = params.whole("neighbours", 5, 1, 1_000)? as usize;
            AnyMember::Knn(Knn::new(neighbours, params.whole("window", 5_000, 8, 1_000_000)? as usize))
        }
        "hashed" => AnyMember::Hashed(Hashed::new(Source::Names, pairs()?, rate(0.4)?)),
        _ => AnyMember::Hashed(Hashed::new(Source::Sparse, pairs()?, rate(0.4)?)),
    };
    Ok((vec![("own", member)], None))
}

/// The members of `auto`.
fn auto(params: &Params<'_>, list: List) -> Result<Vec<(&'static str, AnyMember)>, SpecError> {
    use AnyMember as M;
    let seed = params.seed()?;
    let seed = |more: u64| seed.wrapping_add(more);
    let mut members = vec![
        ("chain0", M::LabelChain(LabelChain::new(0, 0.99))),
        ("chain1", M::LabelChain(LabelChain::new(1, 0.998))),
        ("softmax", M::Softmax(Softmax::new(0.4, false))),
        ("softmax_labels", M::Softmax(Softmax::new(0.4, true))),
        ("chain2", M::LabelChain(LabelChain::new(2, 0.999))),
        ("net_slow", M::NeuralNet(NeuralNet::new(0.1, false, seed(0)))),
        ("net", M::NeuralNet(NeuralNet::new(0.3, false, seed(1)))),
        ("net_labels", M::NeuralNet(NeuralNet::new(0.3, true, seed(2)))),
        ("newton", M::Newton(Newton::new(0.999, false))),
        ("hashed", M::Hashed(Hashed::new(Source::Names, false, 0.4))),
        ("hashed_pairs", M::Hashed(Hashed::new(Source::Names, true, 0.1))),
        ("hashed_pairs_slow", M::Hashed(Hashed::new(Source::Names, true, 0.02))),
        ("sparse", M::Hashed(Hashed::new(Source::Sparse, false, 0.4))),
        ("sparse_pairs", M::Hashed(Hashed::new(Source::Sparse, true, 0.03))),
    ];
    if list >= List::Normal {
        members.push(("newton_pairs", M::Newton(Newton::new(0.999, true))));
        members.push(("cosines", M::Cosines(Cosines::new(150, 0.9998, seed(3)))));
        members.push(("knn", M::Knn(Knn::new(5, 5_000))));
        let max_bytes = (params.max_bytes()? / 8).min(FOREST_BYTES);
        if max_bytes >= LEAST_FOREST_BYTES {
            members.push(("forest", M::Forest(Box::new(Forest::new(10, false, seed(6), max_bytes)))));
            members.push(("forest_labels", M::Forest(Box::new(Forest::new(10, true, seed(7), max_bytes)))));
        }
    }
    if list == List::Rich {
        members.push(("softmax_fast", M::Softmax(Softmax::new(1.0, true))));
        members.push(("softmax_slow", M::Softmax(Softmax::new(0.1, true))));
        members.push(("net_labels_fast", M::NeuralNet(NeuralNet::new(1.0, true, seed(4)))));
        members.push(("net_labels_slow", M::NeuralNet(NeuralNet::new(0.1, true, seed(5)))));
        members.push(("knn_short", M::Knn(Knn::new(5, 1_000))));
    }
    Ok(members)
}
