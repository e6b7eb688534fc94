//! Proofs over two parts of one credential: the public one must follow from the secret one.
//!
//! Must not know which provider issues such pairs (Backpack). Invariant: a random pair of the right shapes passes with
//! 2^-256, and a pair in the wrong order does not.

use ed25519_dalek::SigningKey;
use zeroize::Zeroizing;

use super::base64;

/// Whether `proof`, as rule packs name it, holds for a public and a secret part. An unknown proof never holds.
pub fn holds(proof: &str, public: &[u8], secret: &[u8]) -> bool {
    proof == "ed25519-seed" && is_seed_of(secret, public)
}

/// Base64 of an Ed25519 seed, and base64 of its public key.
fn is_seed_of(seed: &[u8], public: &[u8]) -> bool {
    let decoded = |value: &[u8]| base64::decode_padded::<32>(value);
    let (Some(seed), Some(public)) = (decoded(seed), decoded(public)) else { return false };
    let seed: Zeroizing<[u8; 32]> = seed;
    SigningKey::from_bytes(&seed).verifying_key().as_bytes() == &*public
}

#[cfg(test)]
mod tests {
    use data_encoding::{BASE64, HEXLOWER};

    use super::holds;

    /// RFC 8032, section 7.1, tests 1 and 2: secret key, public key.
    const VECTORS: [[&str; 2]; 2] = [
        [
            concat!("9d61b19deffd5a60", "ba844af492ec2cc4", "4449c5697b326919", "703bac031cae7f60"),
            concat!("d75a980182b10ab7", "d54bfed3c964073a", "0ee172f3daa62325", "af021a68f707511a"),
        ],
        [
            concat!("4ccd089b28ff96da", "9db6c346ec114e0f", "5b8a319f35aba624", "da8cf6ed4fb8a6fb"),
            concat!("3d4017c3e843895a", "92b70aa74d1b7ebc", "9c982ccf2ec4968c", "c0cd55f12af4660c"),
        ],
    ];

    fn base64_of(digits: &str) -> String {
        BASE64.encode(&HEXLOWER.decode(digits.as_bytes()).expect("a vector is hexadecimal"))
    }

    #[test]
    fn only_the_own_public_key_proves_a_seed() {
        for [seed, public] in VECTORS.map(|pair| pair.map(base64_of)) {
            assert!(holds("ed25519-seed", public.as_bytes(), seed.as_bytes()));
            assert!(!holds("ed25519-seed", seed.as_bytes(), public.as_bytes()), "the order is told apart");
            assert!(!holds("unknown", public.as_bytes(), seed.as_bytes()));
        }
        let [[seed, _], [_, other]] = VECTORS.map(|pair| pair.map(base64_of));
        assert!(!holds("ed25519-seed", other.as_bytes(), seed.as_bytes()));
        assert!(!holds("ed25519-seed", b"", seed.as_bytes()));
    }
}
