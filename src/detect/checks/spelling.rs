//! What the spelling of a value rules out, where nothing in it can be computed.
//!
//! Must not know which provider writes so. Invariant: looks at single characters only, and each test states what of
//! the true values it loses.

use crate::rules::Classes;

/// Hexadecimal digits of both cases in one value: programs that print hashes use one. A random value of 64 mixed
/// digits has both but for once in 10^7.
pub(super) fn is_mixed_hex(value: &[u8]) -> bool {
    let both = Classes(Classes::LOWER | Classes::UPPER);
    Classes::of(value).contains(both) && value.iter().all(u8::is_ascii_hexdigit)
}

/// Two parts joined by `_`, each with letters and digits: names of two words rarely have a digit in both. 16 random
/// letters and digits lack a digit once in 150.
pub(super) fn has_digits_in_both_halves(value: &[u8]) -> bool {
    let mixed = |half: &[u8]| {
        half.iter().all(u8::is_ascii_alphanumeric)
            && half.iter().any(u8::is_ascii_digit)
            && half.iter().any(u8::is_ascii_alphabetic)
    };
    let mut halves = value.split(|&byte| byte == b'_');
    matches!((halves.next(), halves.next(), halves.next()), (Some(first), Some(second), None) if mixed(first) && mixed(second))
}

/// Hexadecimal digits of a JSON object that says `crypto` and `ciphertext`: an encrypted keystore.
pub(super) fn is_hex_keystore(value: &[u8]) -> bool {
    let says = |word: &[u8]| {
        let digits = data_encoding::HEXLOWER.encode(word);
        memchr::memmem::find(value, digits.as_bytes()).is_some()
    };
    value.starts_with(b"7b")
        && value.ends_with(b"7d")
        && value.len().is_multiple_of(2)
        && value.iter().all(u8::is_ascii_hexdigit)
        && says(b"\"crypto\"")
        && says(b"\"ciphertext\"")
}
