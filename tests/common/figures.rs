//! Writes what a test counted into `docs/reliability.md`, where `KEYFENCE_FIGURES` asks for it.
//!
//! Must not know: what was counted.
//! Invariant: a figure that the document has no row for fails, whether it is to be written or not.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::fs;
use std::sync::Mutex;

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reliability.md");
/// Tests of one program run at the same time.
static WRITING: Mutex<()> = Mutex::new(());
/// Of each figure that several tests share: how many of them have told theirs, and the sum.
static SHARED: Mutex<Vec<(String, usize, usize)>> = Mutex::new(Vec::new());

/// Whether figures are to be written.
pub fn wanted() -> bool {
    std::env::var_os("KEYFENCE_FIGURES").is_some()
}

/// Puts `figure` into the row of the document that begins with `name`.
pub fn record(name: &str, figure: &str) {
    let _alone = WRITING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let document = fs::read_to_string(DOCUMENT).expect("it is in the repository");
    let begin = format!("| {name} | ");
    let (before, rest) =
        document.split_once(&begin).unwrap_or_else(|| panic!("docs/reliability.md has a row for {name}"));
    let (_, after) = rest.split_once(" |").expect("rows have three cells");
    if wanted() {
        let text = format!("{before}{begin}{figure} |{after}");
        fs::write(DOCUMENT, text).expect("the repository is writable");
    }
}

/// Puts `text` between the marks of the document that name `name`.
pub fn block(name: &str, text: &str) {
    let _alone = WRITING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let document = fs::read_to_string(DOCUMENT).expect("it is in the repository");
    let (begin, end) = (format!("<!-- {name}: written by "), format!("<!-- end of {name} -->"));
    let place = document.split_once(&begin).and_then(|(before, rest)| {
        let (by, rest) = rest.split_once('\n')?;
        let (_, after) = rest.split_once(&end)?;
        Some((before, by, after))
    });
    let (before, by, after) = place.unwrap_or_else(|| panic!("docs/reliability.md has a place for {name}"));
    if wanted() {
        let text = format!("{before}{begin}{by}\n{text}{end}{after}");
        fs::write(DOCUMENT, text).expect("the repository is writable");
    }
}

/// Adds to a figure that `tests` tests share, each of which tells how many of its rows came out right: all of them.
pub fn share(name: &str, tests: usize, rows: usize) {
    let mut shared = SHARED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let at = shared.iter().position(|(known, ..)| known == name).unwrap_or_else(|| {
        shared.push((name.to_owned(), 0, 0));
        shared.len() - 1
    });
    let (_, told, sum) = &mut shared[at];
    (*told, *sum) = (*told + 1, *sum + rows);
    if *told == tests {
        record(name, &format!("{sum} of {sum}"));
    }
}

/// A number with a comma between thousands.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
