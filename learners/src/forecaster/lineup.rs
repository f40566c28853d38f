//! Which members a regression learner of the catalog has.

use crate::budget::{Budget, List};
use crate::forecasts::{Aim, AnyForecast, LeastSquares, NearRows, NetForecast, Seasonal};
use crate::{Params, SpecError};

/// Members with their names, in the order in which bytes and operations are spent, and the budget if they are combined.
type Lineup = (Vec<(&'static str, AnyForecast)>, Option<Budget>);

/// The members of the learner that the catalog calls `name`.
pub(super) fn of(name: &str, params: &Params<'_>) -> Result<Lineup, SpecError> {
    if name == "auto" {
        let budget = Budget::read(params)?;
        return Ok((auto(params, budget.list)?, Some(budget)));
    }
    let aim = || {
        let aims = [Aim::Target, Aim::Change];
        params.choice("aim", &["target", "change"]).map(|i| aims[i])
    };
    let member = match name {
        "rls" => AnyForecast::LeastSquares(LeastSquares::new(aim()?, params.number("keep", 0.999, 0.5, 1.0)?, false)),
        "neural_net" => {
            let (rate, aim) = (params.number("rate", 0.1, 1e-4, 100.0)?, aim()?);
            let lags = params.choice("labels", &["false", "true"])? == 1;
            AnyForecast::Net(NetForecast::new(aim, lags, rate, params.seed()?))
        }
        "knn" => {
            let neighbours = params.whole("neighbours", 5, 1, 1_000)? as usize;
            let window = params.whole("window", 5_000, 8, 1_000_000)? as usize;
            AnyForecast::NearRows(NearRows::new(aim()?, neighbours, window))
        }
        _ => AnyForecast::Seasonal(Seasonal::new(params.whole("period", 0, 0, 100_000)? as u32)),
    };
    Ok((vec![("own", member)], None))
}

/// The members of `auto`.
fn auto(params: &Params<'_>, list: List) -> Result<Vec<(&'static str, AnyForecast)>, SpecError> {
    use Aim::{Change, Target};
    use AnyForecast as F;
    let seed = params.seed()?;
    let seed = |more: u64| seed.wrapping_add(more);
    let mut members = vec![
        ("rls_change", F::LeastSquares(LeastSquares::new(Change, 0.999, false))),
        ("rls_target", F::LeastSquares(LeastSquares::new(Target, 0.999, false))),
        ("net_change", F::Net(NetForecast::new(Change, true, 0.05, seed(0)))),
        ("net_change_fast", F::Net(NetForecast::new(Change, true, 0.2, seed(1)))),
        ("net_target", F::Net(NetForecast::new(Target, false, 0.2, seed(2)))),
        ("net_lags", F::Net(NetForecast::new(Target, true, 0.2, seed(3)))),
        ("seasonal", F::Seasonal(Seasonal::new(0))),
    ];
    if list >= List::Normal {
        members.push(("rls_change_all", F::LeastSquares(LeastSquares::new(Change, 1.0, false))));
        members.push(("rls_change_fast", F::LeastSquares(LeastSquares::new(Change, 0.99, false))));
        members.push(("rls_pairs", F::LeastSquares(LeastSquares::new(Change, 0.9998, true))));
        members.push(("knn_change", F::NearRows(NearRows::new(Change, 5, 5_000))));
        members.push(("knn_target", F::NearRows(NearRows::new(Target, 5, 5_000))));
    }
    Ok(members)
}
