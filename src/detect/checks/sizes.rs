//! Encodings that say how long their content is: the right alphabet alone is not enough.
//!
//! Must not know what the content means. Invariant: only the canonical text of a value of exactly that size passes.

use super::base64;

/// Base64 of 16 bytes: 24 characters with `==`, unused bits zero.
pub(super) fn is_base64_of_16(value: &[u8]) -> bool {
    base64::decode_padded::<16>(value).is_some()
}

/// Base58 of 32 bytes. Text of the same length stands for up to 2^258, so two thirds of noise do not pass.
pub(super) fn is_base58_of_32(value: &[u8]) -> bool {
    let mut bytes = zeroize::Zeroizing::new([0u8; 64]);
    value.len() <= 44 && bs58::decode(value).onto(&mut bytes[..]).is_ok_and(|size| size == 32)
}
