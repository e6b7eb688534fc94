//! The one type that holds a secret's bytes.
//!
//! Must not know: what the value is for.
//! Invariant: a value leaves only through [`Secret::expose`]; printing shows its length.

use std::fmt;

use zeroize::Zeroizing;

/// A secret value: redacted in `Debug`, without `Display`, overwritten when dropped.
///
/// Neither of these compiles, so that no value gets into a message or a report by accident:
///
/// ```compile_fail,E0277
/// let secret = keyfence::model::Secret::new(b"hunter2");
/// println!("{secret}");
/// ```
///
/// ```compile_fail,E0277
/// let secret = keyfence::model::Secret::new(b"hunter2");
/// serde_json::to_string(&secret);
/// ```
///
/// ```compile_fail,E0616
/// let secret = keyfence::model::Secret::new(b"hunter2");
/// println!("{:?}", secret.0);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes a copy of `bytes`.
    pub fn new(bytes: &[u8]) -> Self {
        Self(Zeroizing::new(bytes.to_vec()))
    }

    /// The value itself. Every call site is a place where a secret can leave: checks, fingerprints, `--show-secrets`.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Its length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it holds no byte at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Secret({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use zeroize::ZeroizeOnDrop;

    use super::Secret;

    #[test]
    fn its_bytes_are_overwritten_when_dropped() {
        fn is_overwritten(_: &impl ZeroizeOnDrop) {}
        is_overwritten(&Secret::new(b"hunter2").0);
    }

    #[test]
    fn debug_shows_only_the_length() {
        assert_eq!(format!("{:?}", Secret::new(b"hunter2")), "Secret(7 bytes)");
    }
}
