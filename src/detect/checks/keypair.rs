//! Key pairs that prove themselves: the public half must follow from the secret half.
//!
//! Must not know where such pairs are issued (Coinbase CDP secrets, CometBFT validator keys).
//! Invariant: accepts a random value of the right shape with probability 2^-256.

use ed25519_dalek::SigningKey;
use zeroize::Zeroizing;

use super::base64;

/// Base64 of 64 bytes: a 32-byte seed followed by the public key derived from it.
pub(super) fn is_ed25519_pair(value: &[u8]) -> bool {
    let Some(bytes) = base64::decode_padded::<64>(value) else { return false };
    let mut seed = Zeroizing::new([0u8; 32]);
    seed.copy_from_slice(&bytes[..32]);
    SigningKey::from_bytes(&seed).verifying_key().as_bytes()[..] == bytes[32..]
}
