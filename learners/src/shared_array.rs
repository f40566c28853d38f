//! An array of parts of one size that is written in places and copied for serving often. Such a copy takes over the memory of
//! an earlier one that nobody holds any more, and copies only what is needed of the parts that were written since.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// Earlier copies that are remembered: one is served while the next is made.
const KEPT: usize = 2;
/// A copy has room for one more in so many, as its memory is used for later ones, which grow.
const SPARE: usize = 4;

/// Numbers in parts of one size.
#[derive(Debug, Default)]
pub(crate) struct SharedArray {
    size: usize,
    data: Arc<Vec<f64>>,
    /// Of each part, how many copies had been made when it was last written; shorter where nothing was written yet.
    written: Vec<u32>,
    copies: Mutex<Copies>,
}

#[derive(Debug, Default)]
struct Copies {
    made: u32,
    /// The latest ones, and how many had been made before each.
    kept: Vec<(u32, Arc<Vec<f64>>)>,
}

impl SharedArray {
    /// Parts of `size` numbers, one after the other in `data`.
    pub(crate) fn new(size: usize, data: Vec<f64>) -> Self {
        Self { size, data: Arc::new(data), written: vec![], copies: Mutex::default() }
    }

    /// Numbers a part.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// How many parts there are.
    pub(crate) fn len(&self) -> usize {
        self.data.len().checked_div(self.size).unwrap_or(0)
    }

    /// All parts, one after the other.
    pub(crate) fn as_slice(&self) -> &[f64] {
        &self.data
    }

    #[inline(always)]
    pub(crate) fn get(&self, part: usize) -> &[f64] {
        &self.data[part * self.size..][..self.size]
    }

    #[inline(always)]
    pub(crate) fn get_mut(&mut self, part: usize) -> &mut [f64] {
        self.note(part);
        &mut Arc::make_mut(&mut self.data)[part * self.size..][..self.size]
    }

    /// One more part, of zeros.
    pub(crate) fn push(&mut self) -> &mut [f64] {
        self.note(self.len());
        let data = Arc::make_mut(&mut self.data);
        let begin = data.len();
        data.resize(begin + self.size, 0.0);
        &mut data[begin..]
    }

    /// A copy to be served, in which those numbers of each part mean nothing.
    pub(crate) fn served(&self, but: Range<usize>) -> Self {
        let mut copies = self.copies.lock().unwrap_or_else(PoisonError::into_inner);
        let Copies { made, kept } = &mut *copies;
        let free = kept.iter_mut().rposition(|(_, copy)| Arc::get_mut(copy).is_some());
        let copy = match free.map(|i| kept.remove(i)) {
            Some((since, mut copy)) => {
                let numbers = Arc::make_mut(&mut copy);
                numbers.resize(self.data.len(), 0.0);
                for (part, _) in self.written.iter().enumerate().filter(|(_, written)| **written > since) {
                    let [begin, end] = [part, part + 1].map(|part| part * self.size);
                    for some in [begin..begin + but.start, begin + but.end..end] {
                        numbers[some.clone()].copy_from_slice(&self.data[some]);
                    }
                }
                copy
            }
            None => {
                let mut numbers = Vec::with_capacity(self.data.len() + self.data.len() / SPARE);
                numbers.extend_from_slice(&self.data);
                Arc::new(numbers)
            }
        };
        // After more copies than can be told apart every one is whole.
        if let Some(more) = made.checked_add(1) {
            if kept.len() == KEPT {
                kept.remove(0);
            }
            kept.push((*made, Arc::clone(&copy)));
            *made = more;
        }
        Self { size: self.size, data: copy, written: vec![], copies: Mutex::default() }
    }

    #[inline(always)]
    fn note(&mut self, part: usize) {
        let made = self.copies.get_mut().unwrap_or_else(PoisonError::into_inner).made;
        match self.written.get_mut(part) {
            Some(written) => *written = made,
            None => self.written.resize(part + 1, made),
        }
    }
}

impl Clone for SharedArray {
    fn clone(&self) -> Self {
        Self::new(self.size, self.data.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Write(usize, f64),
        Push(f64),
        Copy,
        Drop(usize),
        WriteIntoCopy(usize, usize),
        Anew(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            8 => (any::<usize>(), -9.0..9.0).prop_map(|(part, x)| Step::Write(part, x)),
            2 => (-9.0..9.0).prop_map(Step::Push),
            4 => Just(Step::Copy),
            4 => any::<usize>().prop_map(Step::Drop),
            1 => (any::<usize>(), any::<usize>()).prop_map(|(copy, part)| Step::WriteIntoCopy(copy, part)),
            1 => (0_usize..6).prop_map(Step::Anew),
        ]
    }

    proptest! {
        #[test]
        fn a_copy_is_what_the_array_was_and_stays_so(steps in prop::collection::vec(step(), 1..200)) {
            const SIZE: usize = 3;
            let mut array = SharedArray::new(SIZE, vec![1.0; 4 * SIZE]);
            let mut plain = array.as_slice().to_vec();
            let mut copies: Vec<(SharedArray, Vec<f64>)> = Vec::new();
            for step in steps {
                match step {
                    Step::Write(part, x) if array.len() > 0 => {
                        let part = part % array.len();
                        array.get_mut(part)[1] = x;
                        plain[part * SIZE + 1] = x;
                    }
                    Step::Push(x) => {
                        array.push()[2] = x;
                        plain.extend([0.0, 0.0, x]);
                    }
                    Step::Copy => copies.push((array.served(0..0), plain.clone())),
                    Step::Drop(copy) if !copies.is_empty() => {
                        copies.swap_remove(copy % copies.len());
                    }
                    Step::WriteIntoCopy(copy, part) if !copies.is_empty() => {
                        let count = copies.len();
                        let (copy, was) = &mut copies[copy % count];
                        if copy.len() > 0 {
                            let part = part % copy.len();
                            copy.get_mut(part)[0] = 7.0;
                            was[part * SIZE] = 7.0;
                        }
                    }
                    Step::Anew(parts) => {
                        plain = vec![2.0; parts * SIZE];
                        array = SharedArray::new(SIZE, plain.clone());
                    }
                    _ => {}
                }
                prop_assert_eq!(array.as_slice(), &plain[..]);
                prop_assert_eq!(array.len() * SIZE, plain.len());
                for (copy, was) in &copies {
                    prop_assert_eq!(copy.as_slice(), &was[..]);
                }
            }
        }
    }

    #[test]
    fn a_copy_takes_the_memory_of_one_that_nobody_holds() {
        let mut array = SharedArray::new(2, vec![0.0; 20]);
        let first = array.served(0..0);
        let second = array.served(0..0);
        let memory = first.as_slice().as_ptr();
        assert_ne!(second.as_slice().as_ptr(), memory);
        drop(first);
        array.get_mut(3)[0] = 5.0;
        array.get_mut(4)[1] = 6.0;
        let third = array.served(1..2);
        assert_eq!((third.as_slice().as_ptr(), third.get(3)), (memory, &[5.0, 0.0][..]));
        assert_eq!(third.get(4), [0.0, 0.0], "nobody needs the second number");
        assert_eq!((second.get(3), array.clone().get(4)), (&[0.0, 0.0][..], &[0.0, 6.0][..]));
    }
}
