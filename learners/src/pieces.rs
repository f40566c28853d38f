//! A list in pieces behind pointers: a copy shares all of them, and later takes for itself those that it writes.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Items of a piece.
const PIECE: usize = 100;

/// A list that is copied often and written in few places between. It is saved as a `Vec` is.
#[derive(Clone, Debug)]
pub(crate) struct Pieces<T> {
    /// All are full but the last.
    pieces: Vec<Arc<Vec<T>>>,
}

impl<T> Default for Pieces<T> {
    fn default() -> Self {
        Self { pieces: vec![] }
    }
}

impl<T: Clone> Pieces<T> {
    pub(crate) fn len(&self) -> usize {
        self.pieces.last().map_or(0, |last| (self.pieces.len() - 1) * PIECE + last.len())
    }

    pub(crate) fn push(&mut self, item: T) {
        match self.pieces.last_mut() {
            Some(last) if last.len() < PIECE => Arc::make_mut(last).push(item),
            _ => self.pieces.push(Arc::new(vec![item])),
        }
    }

    pub(crate) fn get_mut(&mut self, i: usize) -> Option<&mut T> {
        let piece = self.pieces.get_mut(i / PIECE)?;
        if i % PIECE < piece.len() { Arc::make_mut(piece).get_mut(i % PIECE) } else { None }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.pieces.iter().flat_map(|piece| piece.iter())
    }

    /// Bytes of the items.
    pub(crate) fn bytes(&self) -> usize {
        self.len() * size_of::<T>()
    }
}

impl<T: Serialize> Serialize for Pieces<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.pieces.iter().flat_map(|piece| piece.iter()).collect::<Vec<_>>().serialize(to)
    }
}

impl<'de, T: Clone + Deserialize<'de>> Deserialize<'de> for Pieces<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let items = Vec::<T>::deserialize(from)?;
        Ok(Self { pieces: items.chunks(PIECE).map(|piece| Arc::new(piece.to_vec())).collect() })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_list_and_a_copy_stays_as_it_was(length in 0..350_usize, writes in prop::collection::vec((0..400_usize, 0..9_u32), 0..40)) {
            let (mut pieces, mut list) = (Pieces::default(), vec![]);
            let mut copies = vec![];
            for i in 0..length as u32 {
                pieces.push(i);
                list.push(i);
            }
            for (at, x) in writes {
                copies.push((pieces.clone(), list.clone()));
                match (pieces.get_mut(at), list.get_mut(at)) {
                    (Some(piece), Some(item)) => (*piece, *item) = (x, x),
                    (None, None) => {
                        pieces.push(x);
                        list.push(x);
                    }
                    unlike => prop_assert!(false, "{unlike:?}"),
                }
            }
            copies.push((pieces, list));
            for (pieces, list) in copies {
                prop_assert_eq!(pieces.iter().copied().collect::<Vec<_>>(), list.clone());
                prop_assert_eq!((pieces.len(), pieces.bytes()), (list.len(), 4 * list.len()));
                let saved = postcard::to_allocvec(&pieces).unwrap();
                prop_assert_eq!(&saved, &postcard::to_allocvec(&list).unwrap());
                let read: Pieces<u32> = postcard::from_bytes(&saved).unwrap();
                prop_assert_eq!(read.iter().copied().collect::<Vec<_>>(), list);
            }
        }
    }
}
