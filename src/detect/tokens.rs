//! Step one: long runs of credential characters, found at memory speed.
//!
//! A credential is nearly always one run of letters, digits, `+`, `/`, `_` and `-`. Text becomes one bit for each byte,
//! 64 at a time: folding those bits four times tells where 16 of them stand in a row, and nearly everywhere that none do.
//!
//! Must not know: rules, names, files.
//! Invariant: every maximal run of [`SHORTEST_RUN`] or more is handed out exactly once, in order.

use crate::model::Span;
use crate::rules::pattern::SHORTEST_RUN;

use super::strides::{STRIDE, bits_of, for_each_stride, letter};

/// Where the runs begin that are new in a stride: the earliest has all but its last byte in the stride before.
const FIRST_NEW: usize = STRIDE + 1 - SHORTEST_RUN;

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

/// One if `byte` can stand in a token, else zero; branch-free so that it vectorises.
#[inline(always)]
fn mask(byte: u8) -> u8 {
    // `/` stands just before the digits in ASCII.
    let digit_or_slash = u8::from(byte.wrapping_sub(b'/') < 11);
    let mark = u8::from((byte == b'+') | (byte == b'-') | (byte == b'_'));
    letter(byte) | digit_or_slash | mark
}

/// One bit for each place in two strides where [`SHORTEST_RUN`] token bytes begin.
#[inline(always)]
fn long_enough(bits: u128) -> u128 {
    const { assert!(SHORTEST_RUN == 16, "four times the bits are folded, for runs of sixteen") };
    let twos = bits & bits >> 1;
    let fours = twos & twos >> 2;
    let eights = fours & fours >> 4;
    eights & eights >> 8
}

/// Calls `visit` with every maximal run of at least [`SHORTEST_RUN`] token bytes.
pub(crate) fn for_each_run(text: &[u8], mut visit: impl FnMut(Span)) {
    let mut before = 0;
    let mut done = 0;
    for_each_stride(text, |base, stride| {
        let bits = bits_of(stride, mask);
        let both = u128::from(bits) << STRIDE | u128::from(before);
        before = bits;
        let mut starts = long_enough(both) >> FIRST_NEW << FIRST_NEW;
        while starts != 0 {
            let first = starts.trailing_zeros() as usize;
            let end = first + (both >> first).trailing_ones() as usize;
            let start = base + first - STRIDE;
            // What was handed out already goes on here.
            if start >= done {
                done = base + end - STRIDE;
                if end == 2 * STRIDE {
                    done += text[done..].iter().take_while(|&&byte| is_token_byte(byte)).count();
                }
                visit(Span::new(start, done));
            }
            starts = if end < 2 * STRIDE { starts >> end << end } else { 0 };
        }
    });
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{SHORTEST_RUN, for_each_run, is_token_byte, mask};
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

    #[test]
    fn the_mask_is_the_class() {
        for byte in 0..=255 {
            assert_eq!(mask(byte) == 1, is_token_byte(byte), "byte {byte}");
        }
    }

    proptest! {
        #[test]
        fn blocks_find_every_run(text in proptest::collection::vec(prop_oneof![8 => Just(b'a'), 1 => Just(b' '), 1 => any::<u8>()], 0..600)) {
            prop_assert_eq!(fast(&text), slow(&text));
        }
    }
}
