//! Numbers from a seed: SplitMix64, the same on every machine and for ever.
//!
//! Must not know: what they are used for. Not for keys that anybody uses: whoever has the seed has the values.
//! Invariant: no clock, no environment; a fork depends on the parent's state and its name alone.

use sha2::{Digest, Sha256};

/// A stream of numbers.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The stream of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed ^ 0x6b65_7966_656e_6365)
    }

    /// A stream of its own, so that a change in one place moves nothing elsewhere.
    pub fn fork(&self, name: &str) -> Self {
        let digest = Sha256::new().chain_update(self.0.to_le_bytes()).chain_update(name).finalize();
        Self(u64::from_le_bytes(*digest.first_chunk().expect("a digest has 32 bytes")))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// A number below `end`, which is not zero.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// A number from `first` to `last`.
    pub fn between(&mut self, first: usize, last: usize) -> usize {
        first + self.below(last - first + 1)
    }

    /// Whether one of `of` chances fell.
    pub fn one_in(&mut self, of: usize) -> bool {
        self.below(of) == 0
    }

    /// One of the choices, of which there is at least one.
    pub fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }

    /// So many bytes.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }

    /// A fixed number of bytes.
    pub fn array<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.next() as u8)
    }

    /// So many characters of an alphabet.
    pub fn text(&mut self, alphabet: &[u8], count: usize) -> String {
        (0..count).map(|_| char::from(*self.pick(alphabet))).collect()
    }

    /// Another order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}
