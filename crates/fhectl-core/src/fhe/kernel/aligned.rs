//! Words that begin on a cache line.

use std::ops::{Deref, DerefMut};

const LINE_BYTES: usize = 64;

/// A slice of words, the first on a cache line: vectors of them do not lie across two.
pub struct Aligned<T> {
    words: Vec<T>,
    first: usize,
    len: usize,
}

impl<T: Copy + Default> Aligned<T> {
    /// `len` zeros.
    pub fn new(len: usize) -> Self {
        let spare = LINE_BYTES / size_of::<T>();
        let words = vec![T::default(); len + spare];
        // The words stay where they are: nothing is ever added.
        let first = words.as_ptr().align_offset(LINE_BYTES).min(spare);
        Self { words, first, len }
    }
}

impl<T> Deref for Aligned<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.words[self.first..][..self.len]
    }
}

impl<T> DerefMut for Aligned<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.words[self.first..][..self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_begin_on_a_line() {
        for len in [0, 1, 5, 1000] {
            let words = Aligned::<u32>::new(len);
            assert_eq!((words.len(), words.as_ptr().align_offset(LINE_BYTES)), (len, 0));
        }
    }
}
