//! Key pairs that prove themselves: the public half must follow from the secret half.
//!
//! Must not know where such pairs are issued (Coinbase CDP secrets, Solana wallets, CometBFT validator keys).
//! Invariant: accepts a random value of the right shape with probability 2^-256.

use ed25519_dalek::SigningKey;
use zeroize::Zeroizing;

use super::base64;

/// 64 bytes: a 32-byte seed followed by the public key derived from it.
pub fn is_pair(bytes: &[u8]) -> bool {
    let Some((seed, public)) = bytes.split_first_chunk::<32>() else { return false };
    let seed = Zeroizing::new(*seed);
    public.len() == 32 && SigningKey::from_bytes(&seed).verifying_key().as_bytes()[..] == *public
}

/// The same in padded base64.
pub(super) fn is_ed25519_pair(value: &[u8]) -> bool {
    base64::decode_padded::<64>(value).is_some_and(|bytes| is_pair(bytes.as_slice()))
}
