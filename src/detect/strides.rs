//! Text as bits: one for each byte, 64 bytes at a time.
//!
//! Must not know: what the bits are asked for.
//! Invariant: bit `n` tells of byte `n`, the first one lowest.

use wide::u8x16;

/// Bytes that are looked at in one go; the compiler turns the loop over them into vector instructions.
pub(crate) const STRIDE: usize = 64;

/// How many bytes a vector has.
const LANES: usize = 16;

/// One bit for each byte that `class` gives 1 for; it gives 0 for all others, without branches, so that it vectorises.
#[inline(always)]
pub(crate) fn bits_of<const LENGTH: usize>(bytes: &[u8; LENGTH], class: impl Fn(u8) -> u8) -> u64 {
    const { assert!(LENGTH <= STRIDE && LENGTH.is_multiple_of(LANES), "bits are gathered in sixteens") };
    let mut classes = [0_u8; LENGTH];
    for (flag, &byte) in classes.iter_mut().zip(bytes) {
        // Of each byte the highest bit is gathered.
        *flag = class(byte).wrapping_neg();
    }
    let (vectors, _) = classes.as_chunks::<LANES>();
    vectors.iter().enumerate().fold(0, |bits, (index, vector)| {
        bits | u64::from(u8x16::new(*vector).to_bitmask()) << (LANES * index)
    })
}

/// Calls `visit` with the place of every stride of `text` and the stride itself; the last one is filled up with zeros.
#[inline(always)]
pub(crate) fn for_each_stride(text: &[u8], mut visit: impl FnMut(usize, &[u8; STRIDE])) {
    let (strides, rest) = text.as_chunks::<STRIDE>();
    strides.iter().enumerate().for_each(|(index, stride)| visit(index * STRIDE, stride));
    let mut last = [0; STRIDE];
    last[..rest.len()].copy_from_slice(rest);
    visit(strides.len() * STRIDE, &last);
}

/// 1 for a lower-case letter.
#[inline(always)]
pub(crate) fn lower(byte: u8) -> u8 {
    u8::from(byte.wrapping_sub(b'a') < 26)
}

/// 1 for a capital.
#[inline(always)]
pub(crate) fn upper(byte: u8) -> u8 {
    u8::from(byte.wrapping_sub(b'A') < 26)
}

/// 1 for a letter of either case.
#[inline(always)]
pub(crate) fn letter(byte: u8) -> u8 {
    lower(byte | 0x20)
}

/// 1 for a digit.
#[inline(always)]
pub(crate) fn digit(byte: u8) -> u8 {
    u8::from(byte.wrapping_sub(b'0') < 10)
}

#[cfg(test)]
mod tests {
    use super::{bits_of, digit, letter, lower, upper};

    #[test]
    fn each_bit_is_that_of_its_byte() {
        let bytes = std::array::from_fn(|index| (index as u8).wrapping_mul(7));
        let told = bits_of::<64>(&bytes, digit);
        for (index, byte) in bytes.iter().enumerate() {
            assert_eq!(told >> index & 1 == 1, byte.is_ascii_digit(), "byte {index}");
        }
    }

    #[test]
    fn classes_are_those_of_ascii() {
        for byte in 0..=255_u8 {
            assert_eq!(lower(byte) == 1, byte.is_ascii_lowercase(), "byte {byte}");
            assert_eq!(upper(byte) == 1, byte.is_ascii_uppercase(), "byte {byte}");
            assert_eq!(letter(byte) == 1, byte.is_ascii_alphabetic(), "byte {byte}");
            assert_eq!(digit(byte) == 1, byte.is_ascii_digit(), "byte {byte}");
        }
    }
}
