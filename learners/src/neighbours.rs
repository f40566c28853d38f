//! The newest points of a stream and which of them are nearest to another one, by exact search.
//!
//! Eight points lie side by side, coordinate by coordinate, so that their distances are computed together; blocks of eight
//! lie in chunks behind pointers, so that a copy for serving shares them. The search goes from the newest block back and
//! leaves a block once all eight are too far. Cost: about window · d / 4 operations a search, 4·window·d bytes.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::adagrad::restride;

/// Points side by side.
const SIDE: usize = 8;
/// Blocks of points in a chunk.
const CHUNK: usize = 25;
/// Coordinate of a point that is not there yet: farther than any is.
const NOWHERE: f32 = 1e15;
/// Squared distances beyond this are to points that are not there.
const FARTHEST: f32 = 1e20;
/// Coordinates after which a search looks whether it may leave a block.
const STRETCH: usize = 4;

/// Some blocks of points with their labels.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Chunk {
    /// Block after block, in it coordinate after coordinate, of it eight points.
    coordinates: Vec<f32>,
    labels: Vec<f64>,
}

/// A bounded window of points.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Neighbours {
    dimensions: usize,
    /// Most blocks.
    blocks: usize,
    /// Points ever added.
    count: u64,
    chunks: Vec<Arc<Chunk>>,
}

/// A point found: its squared distance and its label.
pub(crate) type Found = (f32, f64);

impl Neighbours {
    /// A window of at least `window` points (the next multiple of eight), without coordinates yet.
    pub(crate) fn new(window: usize) -> Self {
        Self { dimensions: 0, blocks: window.div_ceil(SIDE), count: 0, chunks: vec![] }
    }

    /// More coordinates, 0 for the points there are; and as many points as fit in `room` bytes and `work` coordinates in
    /// all. Returns the bytes that it may take, `None` if that leaves less than one block.
    pub(crate) fn fit(&mut self, dimensions: usize, room: usize, work: usize) -> Option<usize> {
        let dimensions = dimensions.max(self.dimensions);
        let block = Self::block_bytes(dimensions);
        let most = (room / block).min(work / (SIDE * dimensions).max(1));
        if most == 0 {
            return None;
        }
        if dimensions != self.dimensions {
            for chunk in &mut self.chunks {
                let chunk = Arc::make_mut(chunk);
                let blocks = chunk.labels.len() / SIDE;
                restride(&mut chunk.coordinates, self.dimensions * SIDE, dimensions * SIDE, blocks, 0.0);
            }
            self.dimensions = dimensions;
        }
        if most < self.blocks {
            // Points keep their place in the shorter window as far as there is one.
            self.blocks = most;
            self.chunks.truncate(most.div_ceil(CHUNK));
            if let Some(last) = self.chunks.last_mut() {
                let most = (most - 1) % CHUNK + 1;
                let last = Arc::make_mut(last);
                last.labels.truncate(most * SIDE);
                last.coordinates.truncate(most * SIDE * dimensions);
            }
            if self.count > (most * SIDE) as u64 {
                self.count = self.count % (most * SIDE) as u64 + (most * SIDE) as u64;
            }
        }
        Some(self.blocks * block)
    }

    /// Operations of a search in a full window: a quarter of the coordinates is looked at.
    pub(crate) fn operations(&self, dimensions: usize, work: usize) -> usize {
        (self.blocks * SIDE * dimensions).min(work) / 4 + self.blocks * SIDE
    }

    fn block_bytes(dimensions: usize) -> usize {
        SIDE * (dimensions * size_of::<f32>() + size_of::<f64>()) + size_of::<Chunk>() / 8
    }

    /// Adds a point over the oldest one. `x` is at least as long as there are coordinates.
    pub(crate) fn add(&mut self, x: &[f32], label: f64) {
        let place = (self.count % (self.blocks * SIDE) as u64) as usize;
        self.count += 1;
        let (block, lane) = (place / SIDE, place % SIDE);
        if block / CHUNK == self.chunks.len() {
            self.chunks.push(Arc::new(Chunk { coordinates: vec![], labels: vec![] }));
        }
        let dimensions = self.dimensions;
        let chunk = Arc::make_mut(&mut self.chunks[block / CHUNK]);
        let from = block % CHUNK;
        if chunk.labels.len() < (from + 1) * SIDE {
            chunk.labels.resize((from + 1) * SIDE, 0.0);
            chunk.coordinates.resize((from + 1) * SIDE * dimensions, NOWHERE);
        }
        chunk.labels[from * SIDE + lane] = label;
        let block = &mut chunk.coordinates[from * SIDE * dimensions..(from + 1) * SIDE * dimensions];
        for (coordinates, x) in block.as_chunks_mut::<SIDE>().0.iter_mut().zip(x) {
            coordinates[lane] = *x;
        }
    }

    /// Writes the `k` nearest points, the nearest first; of equally near ones the newer block's.
    pub(crate) fn nearest(&self, x: &[f32], k: usize, found: &mut Vec<Found>) {
        found.clear();
        let held = self.chunks.iter().map(|chunk| chunk.labels.len() / SIDE).sum::<usize>();
        if held == 0 || self.dimensions == 0 {
            return;
        }
        let newest = (self.count.wrapping_sub(1) % (self.blocks * SIDE) as u64) as usize / SIDE;
        let mut worst = FARTHEST;
        for block in (0..=newest.min(held - 1)).rev().chain((newest + 1..held).rev()) {
            let chunk = &self.chunks[block / CHUNK];
            let from = block % CHUNK;
            let coordinates = &chunk.coordinates[from * SIDE * self.dimensions..(from + 1) * SIDE * self.dimensions];
            let Some(distances) = distances(coordinates.as_chunks::<SIDE>().0, x, worst) else { continue };
            for (lane, distance) in distances.into_iter().enumerate() {
                if distance < worst {
                    if found.len() == k {
                        found.pop();
                    }
                    let at = found.partition_point(|(other, _)| *other <= distance);
                    found.insert(at, (distance, chunk.labels[from * SIDE + lane]));
                    if found.len() == k {
                        worst = found[k - 1].0;
                    }
                }
            }
        }
    }

    /// All labels.
    pub(crate) fn labels(&self) -> impl Iterator<Item = &f64> {
        self.chunks.iter().flat_map(|chunk| &chunk.labels)
    }

    /// Coordinates of a point.
    pub(crate) fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        let blocks: usize = self.chunks.iter().map(|chunk| chunk.labels.len() / SIDE).sum();
        blocks * Self::block_bytes(self.dimensions)
    }

    /// Whether its parts fit together.
    pub(crate) fn is_sound(&self) -> bool {
        let blocks: usize = self.chunks.iter().map(|chunk| chunk.labels.len() / SIDE).sum();
        let (last, full) = (self.chunks.len().saturating_sub(1), CHUNK * SIDE);
        let chunk = |(i, c): (usize, &Arc<Chunk>)| {
            c.labels.len().is_multiple_of(SIDE)
                && Some(c.coordinates.len()) == c.labels.len().checked_mul(self.dimensions)
                && (i == last || c.labels.len() == full)
                && (1..=full).contains(&c.labels.len())
        };
        self.blocks > 0
            && blocks <= self.blocks
            && blocks as u64 == self.count.div_ceil(SIDE as u64).min(self.blocks as u64)
            && self.chunks.iter().enumerate().all(chunk)
    }
}

/// Squared distances of eight points to `x`; `None` once all are beyond `worst`.
#[inline]
fn distances(points: &[[f32; SIDE]], x: &[f32], worst: f32) -> Option<[f32; SIDE]> {
    let mut sums = [0.0; SIDE];
    for (points, x) in points.chunks(STRETCH).zip(x.chunks(STRETCH)) {
        for (point, x) in points.iter().zip(x) {
            for lane in 0..SIDE {
                let away = point[lane] - x;
                sums[lane] += away * away;
            }
        }
        if sums.iter().all(|sum| *sum >= worst) {
            return None;
        }
    }
    Some(sums)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::mix;

    fn point(i: u64, dimensions: usize) -> Vec<f32> {
        (0..dimensions as u64).map(|d| (mix(100 * i + d) % 1_000) as f32 / 500.0).collect()
    }

    #[test]
    fn finds_what_a_plain_search_finds() {
        for (window, dimensions) in [(8, 3), (500, 20), (1_000, 1)] {
            let mut near = Neighbours::new(window);
            near.fit(dimensions, usize::MAX, usize::MAX).unwrap();
            let mut found = vec![];
            for i in 0..1_500_u64 {
                if i % 97 == 0 {
                    near.nearest(&point(i + 5_000, dimensions), 5, &mut found);
                    let held = (0..i).rev().take(near.blocks * SIDE);
                    let squares = |j: u64| -> f32 {
                        let (a, b) = (point(j, dimensions), point(i + 5_000, dimensions));
                        a.iter().zip(&b).map(|(a, b)| (a - b) * (a - b)).sum()
                    };
                    let mut all: Vec<f32> = held.map(squares).collect();
                    all.sort_by(f32::total_cmp);
                    all.truncate(5);
                    assert!(near.is_sound(), "{i}");
                    let found: Vec<f32> = found.iter().map(|(d, _)| *d).collect();
                    assert_eq!(found.len(), all.len(), "{i}");
                    assert!(found.iter().zip(&all).all(|(a, b)| (a - b).abs() <= 1e-4), "{i}: {found:?} {all:?}");
                }
                near.add(&point(i, dimensions), i as f64);
            }
        }
    }

    #[test]
    fn takes_more_coordinates_and_less_room() {
        let mut near = Neighbours::new(400);
        near.fit(2, usize::MAX, usize::MAX).unwrap();
        (0..1_000).for_each(|i| near.add(&point(i, 2), i as f64));
        near.fit(3, usize::MAX, usize::MAX).unwrap();
        let mut found = vec![];
        near.nearest(&[point(999, 2), vec![0.5]].concat(), 1, &mut found);
        assert_eq!(found, [(0.25, 999.0)]);
        let bytes = near.fit(3, 5_000, usize::MAX).unwrap();
        assert!(bytes <= 5_000 && near.bytes() <= bytes && near.is_sound());
        (0..1_000).for_each(|i| near.add(&point(i, 3), i as f64));
        assert!(near.bytes() <= bytes && near.is_sound());
        assert_eq!(near.fit(3, 10, usize::MAX), None);
    }

    #[test]
    fn a_copy_shares_all_chunks_but_the_one_written_to() {
        let mut near = Neighbours::new(1_000);
        near.fit(2, usize::MAX, usize::MAX).unwrap();
        (0..1_000).for_each(|i| near.add(&point(i, 2), 0.0));
        let copy = near.clone();
        near.add(&point(0, 2), 1.0);
        let shared = near.chunks.iter().zip(&copy.chunks).filter(|(a, b)| Arc::ptr_eq(a, b)).count();
        assert_eq!((shared, near.chunks.len()), (4, 5));
    }
}
