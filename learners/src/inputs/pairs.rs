//! Inputs and the products of the first of them, in an order that only grows: each input, then its products with those
//! before it and with itself.

/// Inputs that are paired: the bias is not.
pub(crate) const PAIRED: usize = 16;
/// A factor counts as at most this.
const LIMIT: f64 = 3.0;

/// How many numbers come of so many inputs.
pub(crate) fn size(inputs: usize) -> usize {
    let paired = inputs.saturating_sub(1).min(PAIRED);
    inputs + paired * (paired + 1) / 2
}

/// Writes them for the first `inputs` of `x`, whose first is the bias.
pub(crate) fn write(x: &[f64], inputs: usize, out: &mut Vec<f64>) {
    let mut limited = [0.0; PAIRED + 1];
    limited.iter_mut().zip(x).for_each(|(z, x)| *z = x.clamp(-LIMIT, LIMIT));
    for (i, x) in x[..inputs].iter().enumerate() {
        out.push(*x);
        if (1..=PAIRED).contains(&i) {
            out.extend(limited[1..=i].iter().map(|z| z * limited[i]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_there_stays_where_it_is() {
        let x: Vec<f64> = (0..30).map(|i| if i == 0 { 1.0 } else { f64::from(i) / 5.0 }).collect();
        let (mut few, mut many) = (vec![], vec![]);
        write(&x, 3, &mut few);
        write(&x, 30, &mut many);
        assert_eq!(few, [1.0, 0.2, 0.2 * 0.2, 0.4, 0.2 * 0.4, 0.4 * 0.4]);
        assert_eq!(many[..few.len()], few);
        assert_eq!((few.len(), many.len()), (size(3), size(30)));
        assert_eq!(many[many.len() - 1], 29.0 / 5.0);
        assert_eq!((size(0), size(1)), (0, 1));
    }
}
