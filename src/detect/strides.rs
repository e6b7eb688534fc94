//! Text as bits: what kind each byte is, 64 bytes at a time.
//!
//! Must not know: what the bits are asked for.
//! Invariant: bit `n` tells of byte `n`, the first one lowest, and the kinds do not overlap.

use fearless_simd::{Simd, prelude::*, u8x32, u8x64};

/// Bytes that are looked at in one go.
pub(crate) const STRIDE: usize = 64;

/// Which bytes of a stride are of a kind, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kinds {
    /// Lower-case letters of ASCII.
    pub(crate) lowers: u64,
    /// Its capitals.
    pub(crate) uppers: u64,
    /// Its digits.
    pub(crate) digits: u64,
    /// `_`
    pub(crate) underscores: u64,
    /// `+`, `/` and `-`, which stand in tokens but not in names.
    pub(crate) marks: u64,
    /// `\\`
    pub(crate) backslashes: u64,
    /// Everything beyond ASCII.
    pub(crate) beyond: u64,
}

impl Kinds {
    /// The kinds of a stride's bytes.
    #[inline(always)]
    fn of<S: Simd>(simd: S, stride: &[u8; STRIDE]) -> Self {
        let bytes = u8x64::from_slice(simd, stride);
        let within = |first: u8, last: u8| bytes.simd_ge(first) & bytes.simd_le(last);
        Self {
            lowers: within(b'a', b'z').to_bitmask(),
            uppers: within(b'A', b'Z').to_bitmask(),
            digits: within(b'0', b'9').to_bitmask(),
            underscores: bytes.simd_eq(b'_').to_bitmask(),
            marks: (bytes.simd_eq(b'+') | bytes.simd_eq(b'/') | bytes.simd_eq(b'-')).to_bitmask(),
            backslashes: bytes.simd_eq(b'\\').to_bitmask(),
            beyond: bytes.simd_ge(0x80).to_bitmask(),
        }
    }

    #[inline(always)]
    pub(crate) fn letters(&self) -> u64 {
        self.lowers | self.uppers
    }

    #[inline(always)]
    pub(crate) fn alphanumerics(&self) -> u64 {
        self.letters() | self.digits
    }

    /// What can stand in a token of any alphabet.
    #[inline(always)]
    pub(crate) fn tokens(&self) -> u64 {
        self.alphanumerics() | self.underscores | self.marks
    }
}

/// Where each stride of `text` begins, and its kinds.
#[inline(always)]
pub(crate) fn strides<S: Simd>(simd: S, text: &[u8]) -> Strides<'_, S> {
    let (whole, rest) = text.as_chunks();
    let mut last = [0; STRIDE];
    last[..rest.len()].copy_from_slice(rest);
    Strides { simd, whole, last, number: 0 }
}

/// See [`strides`].
pub(crate) struct Strides<'a, S> {
    simd: S,
    whole: &'a [[u8; STRIDE]],
    /// What is left of the text, filled up with zeros, which are of no kind.
    last: [u8; STRIDE],
    number: usize,
}

impl<S: Simd> Iterator for Strides<'_, S> {
    type Item = (usize, Kinds);

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        let number = self.number;
        self.number += 1;
        let stride = match self.whole.get(number) {
            Some(stride) => stride,
            None if number == self.whole.len() => &self.last,
            None => return None,
        };
        Some((number * STRIDE, Kinds::of(self.simd, stride)))
    }
}

/// So many strides are told before any of them is searched: what several searches keep would not fit into registers.
const BLOCK: usize = 32;

/// Strides that stand side by side.
pub(crate) struct Block {
    strides: [(usize, Kinds); BLOCK],
    count: usize,
    /// Which have digits and no small letters, one bit each: lists of numbers have nothing else.
    numeric: u32,
}

impl Default for Block {
    fn default() -> Self {
        Self { strides: [(0, Kinds::default()); BLOCK], count: 0, numeric: 0 }
    }
}

impl Block {
    /// Takes the next ones; false if there are none.
    #[inline(always)]
    pub(crate) fn fill<S: Simd>(&mut self, strides: &mut Strides<'_, S>) -> bool {
        const { assert!(BLOCK == u32::BITS as usize, "each stride has its bit") };
        (self.count, self.numeric) = (0, 0);
        // Adapters of iterators would not be compiled for the processor's vectors.
        while self.count < BLOCK
            && let Some(stride) = strides.next()
        {
            let (_, kinds) = stride;
            self.numeric |= u32::from(kinds.lowers == 0 && kinds.digits != 0) << self.count;
            self.strides[self.count] = stride;
            self.count += 1;
        }
        self.count > 0
    }

    /// Where each begins, and its kinds.
    #[inline(always)]
    pub(crate) fn strides(&self) -> impl Iterator<Item = (usize, Kinds)> {
        self.strides[..self.count].iter().copied()
    }

    /// The same of those that have digits and no small letters.
    #[inline(always)]
    pub(crate) fn numeric(&self) -> impl Iterator<Item = (usize, Kinds)> {
        let mut rest = self.numeric;
        std::iter::from_fn(move || {
            let place = rest.trailing_zeros() as usize;
            rest &= rest.checked_sub(1)?;
            Some(self.strides[place])
        })
    }
}

/// The bits of a stride so many places farther on, behind the last ones of the stride before.
#[inline(always)]
pub(crate) fn shifted(bits: u64, before: u64, places: usize) -> u64 {
    bits << places | before >> (STRIDE - places)
}

/// Where letters stand in a window, those beyond ASCII among them.
#[inline(always)]
pub(crate) fn letters_in<S: Simd>(simd: S, window: &[u8; 32]) -> u32 {
    let bytes = u8x32::from_slice(simd, window);
    let lower = bytes | 0x20;
    let letters = lower.simd_ge(b'a') & lower.simd_le(b'z');
    (letters | bytes.simd_ge(0x80)).to_bitmask() as u32
}

#[cfg(test)]
mod tests {
    use fearless_simd::{Level, dispatch};

    use super::{Kinds, STRIDE, letters_in, strides};

    #[test]
    fn each_bit_is_that_of_its_byte() {
        for start in 0..=255_u8 {
            let bytes: [u8; STRIDE] =
                std::array::from_fn(|index| (index as u8).wrapping_mul(7).wrapping_add(start));
            let kinds = dispatch!(Level::new(), simd => Kinds::of(simd, &bytes));
            let bits = |class: fn(&u8) -> bool| {
                (0..STRIDE).fold(0, |bits, index| bits | u64::from(class(&bytes[index])) << index)
            };
            let expected = Kinds {
                lowers: bits(u8::is_ascii_lowercase),
                uppers: bits(u8::is_ascii_uppercase),
                digits: bits(u8::is_ascii_digit),
                underscores: bits(|&byte| byte == b'_'),
                marks: bits(|byte| b"+/-".contains(byte)),
                backslashes: bits(|&byte| byte == b'\\'),
                beyond: bits(|byte| !byte.is_ascii()),
            };
            assert_eq!(kinds, expected, "from {start} on");
            let window = bytes.first_chunk().expect("a stride is longer");
            let letters = dispatch!(Level::new(), simd => letters_in(simd, window));
            assert_eq!(letters, (kinds.letters() | kinds.beyond) as u32, "from {start} on");
        }
    }

    #[test]
    fn strides_tell_of_all_of_the_text() {
        for length in [0, 1, 63, 64, 65, 128, 200] {
            let text: Vec<u8> = (0..length).map(|index| if index % 3 == 0 { b'a' } else { b' ' }).collect();
            let told: Vec<(usize, Kinds)> = dispatch!(Level::new(), simd => strides(simd, &text).collect());
            assert_eq!(told.len(), length / STRIDE + 1, "{length}");
            for (base, kinds) in told {
                let here = &text[base..length.min(base + STRIDE)];
                let letters =
                    here.iter().zip(0..).fold(0, |bits, (&byte, at)| bits | u64::from(byte == b'a') << at);
                assert_eq!(kinds, Kinds { lowers: letters, ..Kinds::default() }, "{length} from {base} on");
            }
        }
    }
}
