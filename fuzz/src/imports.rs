//! Files of other scanners that `init` takes over: whatever stands there, an error or something that can be written.
//!
//! Must not know: where those files stand.

use std::sync::LazyLock;

use keyfence::config::{Config, Level, MAX_ALLOW_ENTRIES, MAX_CONFIG_BYTES, allow_text};
use keyfence::detect::Scratch;
use keyfence::model::{FilePath, Finding};
use keyfence::suppress::imports::{Format, import};

/// Every kind of file, by the first byte of the input.
pub const FORMATS: [Format; 11] = [
    Format::GitleaksConfig,
    Format::GitleaksIgnore,
    Format::DetectSecrets,
    Format::TrufflehogPaths,
    Format::GitSecrets,
    Format::GitAllowed,
    Format::Talisman,
    Format::Ripsecrets,
    Format::Ggshield,
    Format::KingfisherConfig,
    Format::KingfisherBaseline,
];

/// An invented pair, in pieces so that no scanner takes this file for a leak.
static FINDINGS: LazyLock<Vec<Finding>> = LazyLock::new(|| {
    let key = ["iK2ZWeqhFWCEPyYn", "gFb51yBMWXaSCrUZ", "oL8g5ubbbPIa84yR", "nBUbHoWC8FJowoRo"].concat();
    let secret = ["WD8s7bA16J7PglOU", "3shVv5UTG79BG16Q", "mtsL4F28GzL2cEpV", "ZzAQlxJ4SXRVxfCQ"].concat();
    let text = format!("BINANCE_API_KEY={key}\nBINANCE_API_SECRET={secret}\n");
    super::findings(text.as_bytes(), "a.env", &mut Scratch::default())
});

/// Imports: what is taken over can be written and read again, one line stays one line, and an error is a sentence.
pub fn imports(data: &[u8]) {
    let Some((choice, text)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let taken = match import(FORMATS[usize::from(*choice) % FORMATS.len()], text) {
        Ok(taken) => taken,
        Err(message) => return assert!(!message.is_empty() && message.len() < 4096),
    };
    let written = allow_text(&taken.allow);
    if written.len() <= MAX_CONFIG_BYTES && taken.allow.len() <= MAX_ALLOW_ENTRIES {
        match Config::parse(&written, Level::Top) {
            Ok(read) => assert_eq!(read.allow, taken.allow),
            Err(message) => panic!("what is written cannot be read: {message}"),
        }
    }
    for pattern in &taken.left_out {
        assert!(!pattern.contains(char::is_control), "a pattern is one line: {pattern:?}");
        assert!(!pattern.trim().is_empty() && !pattern.starts_with('#'), "it is a pattern: {pattern:?}");
    }
    assert!(taken.notes.iter().all(|note| !note.what.is_empty()));
    assert!(!FINDINGS.is_empty(), "there is one to be known");
    for (known, finding) in taken.known.iter().flat_map(|known| FINDINGS.iter().map(move |it| (known, it))) {
        known.means(finding, &FilePath::from("a.env"));
    }
}
