//! Step one: long runs of credential characters, found at memory speed.
//!
//! A credential is nearly always one run of letters, digits, `+`, `/`, `_` and `-`. Text is tested in blocks of eight
//! aligned bytes: a run of 16 or more covers at least one whole block, so a block with any other byte cannot be the
//! middle of one. Only blocks that pass are looked at byte by byte.
//!
//! Must not know: rules, names, files.
//! Invariant: every maximal run of [`SHORTEST_RUN`] or more is handed out exactly once, in order.

use crate::model::Span;
use crate::rules::pattern::SHORTEST_RUN;

const BLOCK: usize = 8;
/// Blocks that are classified in one go; the compiler turns the loop over them into vector instructions.
const STRIDE: usize = 64;

const WORD: u8 = 1;

/// Marks `A-Z a-z 0-9 + / _ -`.
static CLASS: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        if is_token_byte_slow(byte as u8) {
            table[byte] = WORD;
        }
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
    CLASS[usize::from(byte)] == WORD
}

/// One byte of all ones if `byte` can stand in a token, else zero; branch-free so that it vectorises.
#[inline(always)]
fn mask(byte: u8) -> u8 {
    let letter = ((byte | 0x20).wrapping_sub(b'a') < 26) as u8;
    // `/` stands just before the digits in ASCII.
    let digit_or_slash = (byte.wrapping_sub(b'/') < 11) as u8;
    let mark = ((byte == b'+') | (byte == b'-') | (byte == b'_')) as u8;
    letter | digit_or_slash | mark
}

/// Calls `visit` with every maximal run of at least [`SHORTEST_RUN`] token bytes.
pub(crate) fn for_each_run(text: &[u8], mut visit: impl FnMut(Span)) {
    let mut done = 0;
    let mut classes = [0_u8; STRIDE];
    let mut strides = text.chunks_exact(STRIDE);
    let mut base = 0;
    for stride in &mut strides {
        for (class, &byte) in classes.iter_mut().zip(stride) {
            *class = mask(byte);
        }
        for (index, block) in classes.chunks_exact(BLOCK).enumerate() {
            if block == [WORD; BLOCK] {
                let at = base + index * BLOCK;
                if at >= done {
                    done = grow(text, at, done, &mut visit);
                }
            }
        }
        base += STRIDE;
    }
    for (index, block) in strides.remainder().chunks_exact(BLOCK).enumerate() {
        let at = base + index * BLOCK;
        if at >= done && block.iter().all(|&byte| is_token_byte(byte)) {
            done = grow(text, at, done, &mut visit);
        }
    }
}

/// Extends the block at `at` to its run, hands it out if it is long enough, and tells where the run ends.
fn grow(text: &[u8], at: usize, done: usize, visit: &mut impl FnMut(Span)) -> usize {
    let start = at - text[done..at].iter().rev().take_while(|&&byte| is_token_byte(byte)).count();
    let end = at + text[at..].iter().take_while(|&&byte| is_token_byte(byte)).count();
    if end - start >= SHORTEST_RUN {
        visit(Span::new(start, end));
    }
    end
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
