//! Which leaves may keep statistics.

/// Bytes that a tree counts for itself. A number, not what the compiler makes of its structure: which leaves stay follows from
/// it, so it is part of the fold.
pub(super) const OWN_BYTES: usize = 464;

/// Keeps the leaves that promise most, as many as fit into `room` bytes (each `(promise, bytes)`). Of equal ones the
/// first.
pub(super) fn keep(leaves: &[(f64, usize)], mut room: usize) -> Vec<bool> {
    let mut order: Vec<usize> = (0..leaves.len()).collect();
    order.sort_by(|&a, &b| leaves[b].0.total_cmp(&leaves[a].0).then(a.cmp(&b)));
    let mut keep = vec![false; leaves.len()];
    for leaf in order {
        let bytes = leaves[leaf].1;
        if bytes > room {
            break;
        }
        room -= bytes;
        keep[leaf] = true;
    }
    keep
}

#[cfg(test)]
mod tests {
    use super::keep;

    #[test]
    fn the_most_promising_are_kept_while_there_is_room() {
        assert_eq!(keep(&[(1.0, 4), (3.0, 4), (2.0, 4), (2.0, 4)], 8), [false, true, true, false]);
        assert_eq!(keep(&[(1.0, 4), (3.0, 9)], 8), [false, false], "a less promising one is not kept instead");
    }
}
