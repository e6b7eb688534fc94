//! What makes a token no credential whatever its shape: what stands directly before it, what it is a piece of, and the
//! kind of file it is in.
//!
//! Must not know: providers, rules.
//! Invariant: vetoes are for values that need context; what identifies or proves itself is reported wherever it stands.

use crate::model::Span;

use super::document::Document;

/// Prefixes that say "hash" or "encoded data".
const MARKS: &[&[u8]] = &[
    b"sha1-",
    b"sha1:",
    b"sha224:",
    b"sha256-",
    b"sha256:",
    b"sha384-",
    b"sha384:",
    b"sha512-",
    b"sha512:",
    b"sha512/256:",
    b"md5:",
    b"md5-",
    b"h1:",
    b"blake2:",
    b"blake3:",
    b"hash=",
    b"sha256=",
    b"sha512=",
    b"sha1=",
    b"base64,",
    b"ssh-rsa ",
    b"ssh-ed25519 ",
    b"urn:uuid:",
    b"commit ",
    b"tree ",
    b"parent ",
    b"@sha256:",
    b"cid:",
    b"ipfs/",
    b"/ipfs/",
    b"integrity sha512-",
    b"rev=",
    b"blob/",
    b"commit/",
    b"tree/",
    b"tx/",
    b"signature=",
    b"sig=",
    b"(stdin)= ",
    b"etag: ",
    b"w/\"",
    b"git+",
    b"#",
];

/// Files that hold checksums by the thousand.
const LOCK_FILES: &[&[u8]] = &[
    b"package-lock.json",
    b"npm-shrinkwrap.json",
    b"yarn.lock",
    b"pnpm-lock.yaml",
    b"cargo.lock",
    b"poetry.lock",
    b"uv.lock",
    b"pipfile.lock",
    b"composer.lock",
    b"gemfile.lock",
    b"go.sum",
    b"go.work.sum",
    b"mix.lock",
    b"flake.lock",
    b"pubspec.lock",
    b"podfile.lock",
    b"bun.lock",
    b"deno.lock",
    b"packages.lock.json",
    b"project.assets.json",
    b"cargo.toml.orig",
    b".terraform.lock.hcl",
    b"gradle.lockfile",
    b"pdm.lock",
    b"conda-lock.yml",
];

/// Whether tokens in files of this name are checksums.
pub(crate) fn is_lock_file(file_name: &[u8]) -> bool {
    LOCK_FILES.iter().any(|name| file_name.eq_ignore_ascii_case(name))
}

/// Whether what stands directly around `value` says that it is no credential.
pub(crate) fn is_vetoed(document: &Document<'_>, value: Span) -> bool {
    let text = document.text;
    let before = text[value.start.saturating_sub(16)..value.start].to_ascii_lowercase();
    let bytes = value.of(text);
    MARKS.iter().any(|mark| before.ends_with(mark))
        || bytes.starts_with(b"eyJ")
        || is_piece_of_token(text, value)
        || is_encrypted(document, value)
        || is_path_segment(text, value)
        || is_wrapped_base64(document, value)
}

/// A value of a SOPS file: `ENC[AES256_GCM,data:…,iv:…]`.
fn is_encrypted(document: &Document<'_>, value: Span) -> bool {
    let line = document.line_around(value.start);
    let before = &document.text[line.start.max(value.start.saturating_sub(4096))..value.start];
    memchr::memmem::rfind(before, b"ENC[").is_some_and(|at| !before[at..].contains(&b']'))
}

/// A dot-joined piece of a JWT or of a code path.
fn is_piece_of_token(text: &[u8], value: Span) -> bool {
    let after_dot =
        value.start >= 2 && text[value.start - 1] == b'.' && text[value.start - 2].is_ascii_alphanumeric();
    let before_dot = text.get(value.end) == Some(&b'.')
        && text.get(value.end + 1).is_some_and(|byte| byte.is_ascii_alphanumeric());
    after_dot || before_dot
}

fn is_path_segment(text: &[u8], value: Span) -> bool {
    let slash_before = value.start > 0 && text[value.start - 1] == b'/';
    let slash_after = text.get(value.end) == Some(&b'/') && text.get(value.end + 1) != Some(&b'/');
    slash_before || slash_after
}

/// A whole line of base64 beside another: the body of a certificate, an image, a signature.
fn is_wrapped_base64(document: &Document<'_>, value: Span) -> bool {
    let number = document.line_of(value.start);
    let line = document.line(number);
    let is_data = |number: usize| {
        let bytes = document.line(number).of(document.text).trim_ascii();
        bytes.len() >= 40
            && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
    };
    let whole = line.of(document.text).trim_ascii().len() == value.len();
    let wide = value.len() >= 60;
    whole && wide && {
        let previous = number.checked_sub(1).is_some_and(&is_data);
        let next = number + 1 < document.line_count() && is_data(number + 1);
        let same = |other: usize| document.line(other).of(document.text).trim_ascii().len() == value.len();
        (previous && same(number - 1)) || (next && same(number + 1))
    }
}

/// The armoured blocks of `text`: what stands in them is a part of them.
pub(crate) fn armoured_blocks(text: &[u8]) -> Vec<Span> {
    let mut blocks = Vec::new();
    let mut from = 0;
    while let Some(begin) = memchr::memmem::find(&text[from..], b"-----BEGIN ").map(|at| from + at) {
        let end = memchr::memmem::find(&text[begin..], b"-----END ")
            .map_or(text.len().min(begin + 16 * 1024), |at| begin + at);
        blocks.push(Span::new(begin, end));
        from = end.max(begin + 1);
    }
    blocks
}
