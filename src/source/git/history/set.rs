//! A set of object numbers, one bit for each object.
//!
//! Must not know: objects.
//! Invariant: holds only numbers below the size it was made for.

/// Numbers of objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct NumberSet {
    words: Vec<u64>,
}

impl NumberSet {
    /// An empty set for numbers below `count`.
    pub(super) fn new(count: usize) -> Self {
        Self { words: vec![0; count.div_ceil(64)] }
    }

    /// The set of these numbers.
    pub(super) fn of(count: usize, numbers: impl IntoIterator<Item = u32>) -> Self {
        let mut set = Self::new(count);
        for number in numbers {
            set.insert(number);
        }
        set
    }

    /// Whether the number is in it.
    pub(super) fn contains(&self, number: u32) -> bool {
        self.words.get(number as usize / 64).is_some_and(|word| word >> (number % 64) & 1 == 1)
    }

    /// Adds a number and tells whether it is new. Numbers beyond the size are not taken.
    pub(super) fn insert(&mut self, number: u32) -> bool {
        let Some(word) = self.words.get_mut(number as usize / 64) else { return false };
        let bit = 1 << (number % 64);
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }

    /// Its numbers, ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> {
        self.words.iter().zip(0_u32..).flat_map(|(&word, index)| {
            (0..64).filter(move |bit| word >> bit & 1 == 1).map(move |bit| index * 64 + bit)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::NumberSet;

    #[test]
    fn numbers_go_in_once() {
        let mut set = NumberSet::new(130);
        for (number, is_new) in [(0, true), (64, true), (129, true), (64, false), (192, false)] {
            assert_eq!(set.insert(number), is_new, "{number}");
        }
        assert_eq!(set.iter().collect::<Vec<_>>(), [0, 64, 129]);
        assert_eq!((set.contains(63), set.contains(64), set.contains(4000)), (false, true, false));
        assert_eq!(NumberSet::of(130, [129, 0, 64, 0]), set);
    }
}
