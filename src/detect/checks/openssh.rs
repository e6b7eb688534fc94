//! The outline of OpenSSH's own private key format (PROTOCOL.key in the OpenSSH sources).
//!
//! Must not know PEM or base64: it gets the decoded blob. Invariant: reads lengths, never the key material.

/// Opens every blob.
pub const MAGIC: &[u8] = b"openssh-key-v1\0";

/// How an OpenSSH private key is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// Cipher `none`: whoever has the file has the key.
    Plain,
    /// Under a passphrase.
    Encrypted,
}

/// Reads the blob's header; `None` when this is no complete OpenSSH private key.
///
/// Layout after the magic: cipher name, kdf name, kdf options (strings with a big-endian 32-bit length), number of
/// keys (32 bits), one public key string each, one string with the private section.
pub fn protection(blob: &[u8]) -> Option<Protection> {
    let mut rest = blob.strip_prefix(MAGIC)?;
    let cipher = string(&mut rest)?;
    let _kdf = string(&mut rest)?;
    let _options = string(&mut rest)?;
    let keys = number(&mut rest)?;
    if keys == 0 {
        return None;
    }
    for _ in 0..keys {
        string(&mut rest)?;
    }
    if string(&mut rest)?.is_empty() {
        return None;
    }
    Some(if cipher == b"none" { Protection::Plain } else { Protection::Encrypted })
}

fn number(rest: &mut &[u8]) -> Option<u32> {
    let (bytes, tail) = rest.split_first_chunk::<4>()?;
    *rest = tail;
    Some(u32::from_be_bytes(*bytes))
}

fn string<'blob>(rest: &mut &'blob [u8]) -> Option<&'blob [u8]> {
    let length = usize::try_from(number(rest)?).ok()?;
    let (text, tail) = rest.split_at_checked(length)?;
    *rest = tail;
    Some(text)
}
