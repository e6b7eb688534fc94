//! From a phrase to its keys: the seed of BIP-39, the trees of BIP-32 and of SLIP-10.
//!
//! Must not know: words, addresses. Invariant: what is secret is wiped.

use k256::elliptic_curve::PrimeField;
use k256::elliptic_curve::sec1::ToSec1Point;
use k256::{Scalar, SecretKey};
use sha2::Sha512;
use zeroize::Zeroizing;

use super::super::checks::phrases::hmac_sha512;

const HARDENED: u32 = 1 << 31;
/// `m/44'/60'/0'/0/0`, which wallets of EVM chains open first.
pub(super) const ETHEREUM: &[u32] = &[HARDENED | 44, HARDENED | 60, HARDENED, 0, 0];
/// `m/84'/0'/0'/0/0` (BIP-84).
pub(super) const BITCOIN: &[u32] = &[HARDENED | 84, HARDENED, HARDENED, 0, 0];
/// `m/44'/501'/0'/0'`, which Phantom and others open first.
pub(super) const SOLANA: &[u32] = &[HARDENED | 44, HARDENED | 501, HARDENED, HARDENED];

const ROUNDS: u32 = 2048;

type Key = Zeroizing<[u8; 32]>;
/// A key and its chain code.
type Node = Zeroizing<[u8; 64]>;

/// The seed of a phrase without a password.
pub(super) fn seed(sentence: &[u8]) -> Node {
    let mut seed = Zeroizing::new([0; 64]);
    pbkdf2::pbkdf2_hmac::<Sha512>(sentence, b"mnemonic", ROUNDS, seed.as_mut_slice());
    seed
}

fn halves(node: &Node) -> (Key, &[u8]) {
    let (key, chain) = node.split_at(32);
    (Zeroizing::new(key.try_into().expect("half of 64 bytes")), chain)
}

/// The key at `path` in the tree of BIP-32.
pub(super) fn secp256k1(seed: &Node, path: &[u32]) -> Option<Key> {
    let mut node = hmac_sha512(b"Bitcoin seed", &[seed.as_slice()]);
    for &step in path {
        let (key, chain) = halves(&node);
        let secret = SecretKey::from_slice(key.as_slice()).ok()?;
        let number = step.to_be_bytes();
        let mut child = if step >= HARDENED {
            hmac_sha512(chain, &[&[0], key.as_slice(), &number])
        } else {
            hmac_sha512(chain, &[secret.public_key().to_sec1_point(true).as_bytes(), &number])
        };
        let (tweak, _) = halves(&child);
        let tweak = Option::<Scalar>::from(Scalar::from_repr((*tweak).into()))?;
        let sum = tweak + *secret.to_nonzero_scalar();
        child[..32].copy_from_slice(&sum.to_bytes());
        node = child;
    }
    Some(halves(&node).0)
}

/// The seed of the key at `path` in the tree of SLIP-10, in which every step is hardened.
pub(super) fn ed25519(seed: &Node, path: &[u32]) -> Key {
    let mut node = hmac_sha512(b"ed25519 seed", &[seed.as_slice()]);
    for step in path {
        let (key, chain) = halves(&node);
        node = hmac_sha512(chain, &[&[0], key.as_slice(), &step.to_be_bytes()]);
    }
    halves(&node).0
}
