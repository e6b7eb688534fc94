//! What can be wrong with an object where it is stored, loose or in a pack.
//!
//! Must not know: what is in an object.
//! Invariant: says nothing of its content.

/// Why an object could not be had from where it is stored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum EntryError {
    #[error("it is damaged where it is stored")]
    Damaged,
    #[error("{0} bytes are more than the limit of {1}")]
    TooLarge(u64, u64),
    #[error("the object it is made from is missing")]
    BaseMissing,
    #[error("it is made from itself")]
    Circular,
}
