//! Step one: long runs of credential characters, found at memory speed.
//!
//! A credential is nearly always one run of letters, digits, `+`, `/`, `_` and `-`. Text becomes one bit for each byte,
//! 64 at a time: folding those bits four times tells where 16 of them stand in a row, and nearly everywhere that none do.
//!
//! Must not know: rules, names, files.
//! Invariant: every maximal run of [`SHORTEST_RUN`] or more is handed out exactly once, in order.

use fearless_simd::{Level, Simd, dispatch};

use crate::model::Span;
use crate::rules::pattern::SHORTEST_RUN;

use super::strides::{Kinds, STRIDE, shifted, strides};

/// Marks `A-Z a-z 0-9 + / _ -`.
static CLASS: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = is_token_byte_slow(byte as u8);
        byte += 1;
    }
    table
};

const fn is_token_byte_slow(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'_' | b'-')
}

/// Whether `byte` can stand in a token of any alphabet.
#[inline]
pub(crate) fn is_token_byte(byte: u8) -> bool {
    CLASS[usize::from(byte)]
}

/// Calls `visit` with every maximal run of at least [`SHORTEST_RUN`] token bytes.
pub(crate) fn for_each_run(text: &[u8], mut visit: impl FnMut(Span)) {
    dispatch!(Level::new(), simd => search(simd, text, &mut visit));
}

#[inline(always)]
fn search<S: Simd>(simd: S, text: &[u8], visit: &mut impl FnMut(Span)) {
    let mut runs = Runs::default();
    for (base, kinds) in strides(simd, text) {
        runs.step(text, base, kinds, visit);
    }
}

/// The search for runs, stride by stride.
#[derive(Default)]
pub(crate) struct Runs {
    /// Where one, two, four, eight, and sixteen token bytes in a row end, in the stride before.
    rows: [u64; 5],
}

impl Runs {
    /// Calls `visit` with the runs that are long enough from the stride at `base` on.
    #[inline(always)]
    pub(crate) fn step(&mut self, text: &[u8], base: usize, kinds: Kinds, visit: &mut impl FnMut(Span)) {
        const { assert!(SHORTEST_RUN == 16, "rows are doubled four times, for runs of sixteen") };
        let ones = kinds.tokens();
        let twos = ones & shifted(ones, self.rows[0], 1);
        let fours = twos & shifted(twos, self.rows[1], 2);
        let eights = fours & shifted(fours, self.rows[2], 4);
        let sixteens = eights & shifted(eights, self.rows[3], 8);
        // Where a run becomes long enough; it is so at all places after that.
        let mut enough = sixteens & !shifted(sixteens, self.rows[4], 1);
        self.rows = [ones, twos, fours, eights, sixteens];
        while enough != 0 {
            let place = enough.trailing_zeros();
            enough &= enough - 1;
            let start = base + place as usize + 1 - SHORTEST_RUN;
            let others = !ones & u64::MAX << place;
            let end = if others == 0 {
                end_of_run(text, base + STRIDE)
            } else {
                base + others.trailing_zeros() as usize
            };
            visit(Span::new(start, end));
        }
    }
}

/// Where the run ends that goes on at `at`.
fn end_of_run(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    text.len() - rest.len() + rest.iter().position(|&byte| !is_token_byte(byte)).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{SHORTEST_RUN, for_each_run, is_token_byte};
    use crate::model::Span;

    fn fast(text: &[u8]) -> Vec<Span> {
        let mut runs = Vec::new();
        for_each_run(text, |run| runs.push(run));
        runs
    }

    fn slow(text: &[u8]) -> Vec<Span> {
        let mut runs = Vec::new();
        let mut start = 0;
        for at in 0..=text.len() {
            if at == text.len() || !is_token_byte(text[at]) {
                if at - start >= SHORTEST_RUN {
                    runs.push(Span::new(start, at));
                }
                start = at + 1;
            }
        }
        runs
    }

    proptest! {
        #[test]
        fn blocks_find_every_run(text in proptest::collection::vec(prop_oneof![8 => Just(b'a'), 1 => Just(b' '), 1 => any::<u8>()], 0..600)) {
            prop_assert_eq!(fast(&text), slow(&text));
        }
    }
}
