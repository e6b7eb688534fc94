//! Offline checks: does a candidate's own structure prove or refute that it is a credential?
//!
//! Every check is a pure function of the candidate's bytes: no I/O, no clock, no panic, and no allocation before the
//! value has the right outline. What a check does not know: where the bytes came from, or what stands around them.
//! Invariant: the same bytes always give the same answer, and bytes of the wrong shape give `false`.

mod azure;
pub(crate) mod base58;
mod base64;
mod bech32;
pub mod bip39;
mod check;
pub mod cyclic;
pub mod der;
mod identifiers;
pub mod keypair;
pub mod openssh;
pub mod pairs;
pub mod phrases;
mod private_key;
mod scalar;
mod sizes;
mod spelling;
mod structure;
mod tokens;
mod uuid_apikey;

pub use check::{Check, run};
pub use private_key::{PrivateKey, private_key};
pub use tokens::aws_account;
