//! Words that were typed, told again: a value that somebody pasted as an argument is not repeated.
//!
//! Must not know: what an argument means. Invariant: of the arguments, nothing is told but what is made like a word, an
//! id, a date or a number, and places that are there; for anything else stands how long it is.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use super::text;
use crate::model::{FilePath, Problem, ProblemKind};

/// As many words as one argument may have to be told as it is; a phrase that opens a wallet has twelve.
const MOST_WORDS: usize = 4;
/// As long as letters without anything between them may be: `authentication` is one word, a token is longer.
const LONGEST_WORD: usize = 16;
/// As long as a number may be: a day without dashes.
const LONGEST_NUMBER: usize = 8;
/// As long as letters and digits may be in one: `v12`, `2024q3`. Only one such piece is in a name.
const LONGEST_MIXED: usize = 6;
/// As many digits of a commit as are told: what git itself shows, and no value is known by them.
const COMMIT_DIGITS: usize = 7;
/// What stands under a message in which something was left out.
const EXPLANATION: &str =
    "  note: what was typed could be a secret, so it is not repeated here; a shell may have kept it\n";

/// What must not be repeated of the arguments of this process, and what is told in its place; the longest first.
static HELD_BACK: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
    let words = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
    held_back(words, |path| fs::symlink_metadata(path).is_ok())
});

/// What is told, without values that were typed.
pub(crate) fn repeated(told: &str) -> String {
    let mut safe = without(told, &HELD_BACK);
    if safe.starts_with("error:") && HELD_BACK.iter().any(|(word, _)| told.contains(word) && !is_commit(word))
    {
        safe.push_str(EXPLANATION);
    }
    safe
}

/// A problem with a place that was typed and that is not there names it like everything else that was typed.
pub(crate) fn hide_in(problem: &mut Problem) {
    if problem.kind != ProblemKind::NotFound {
        return;
    }
    if let Some(path) = &problem.path {
        let named = path.to_text();
        let safe = without(&named, &HELD_BACK);
        if safe != named {
            problem.path = Some(FilePath::from(&*safe));
        }
    }
    problem.message = without(&problem.message, &HELD_BACK);
}

fn without(told: &str, held_back: &[(String, String)]) -> String {
    held_back.iter().fold(told.to_owned(), |told, (word, instead)| told.replace(word, instead))
}

fn held_back(words: impl Iterator<Item = String>, is_there: impl Fn(&Path) -> bool) -> Vec<(String, String)> {
    let mut held_back = Vec::new();
    for word in words {
        for piece in pieces(&word) {
            if !may_be_told(piece, &is_there) {
                held_back.push((piece.to_owned(), instead(piece)));
                held_back.push((text::line(piece), instead(piece)));
            }
        }
    }
    held_back.sort_by(|one, other| other.0.len().cmp(&one.0.len()).then_with(|| one.cmp(other)));
    held_back.dedup();
    held_back
}

/// What stands in an argument between the signs that part options, ranges and formats; each also word by word.
fn pieces(word: &str) -> impl Iterator<Item = &str> {
    let parts = word.split("..").flat_map(|end| end.split(['=', ',', ':', '\n', '\r', '\t']));
    let pieces = parts.flat_map(|part| std::iter::once(part).chain(part.split_whitespace()));
    pieces.map(|piece| piece.trim_start_matches(['-', '.']).trim())
}

fn may_be_told(piece: &str, is_there: impl Fn(&Path) -> bool) -> bool {
    let path = Path::new(piece);
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    is_there(path) || parent.is_some_and(is_there) || is_tame(piece)
}

/// Whether it is made as people make names: no value that somebody drew at random is.
fn is_tame(piece: &str) -> bool {
    let runs = piece.split(|c: char| !c.is_alphanumeric()).filter(|run| run.len() > 3);
    let mut mixed = 0;
    for run in runs {
        let letters = run.chars().filter(|c| c.is_alphabetic()).count();
        let all = run.chars().count();
        let longest = match letters {
            0 => LONGEST_NUMBER,
            _ if letters == all => LONGEST_WORD,
            _ => {
                mixed += 1;
                LONGEST_MIXED
            }
        };
        if all > longest || mixed > 1 {
            return false;
        }
    }
    piece.split_whitespace().count() <= MOST_WORDS && !piece.contains('@')
}

fn instead(piece: &str) -> String {
    if is_commit(piece) {
        return format!("{}…", &piece[..COMMIT_DIGITS]);
    }
    format!("({} characters)", piece.chars().count())
}

fn is_commit(piece: &str) -> bool {
    matches!(piece.len(), 40 | 64) && piece.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{held_back, without};

    fn told(argument: &str) -> String {
        let is_there =
            |path: &Path| ["src", "/tmp/tmp.Ab3dE9xZ12"].iter().any(|there| path == Path::new(there));
        without(&format!("<{argument}>"), &held_back([argument.to_owned()].into_iter(), is_there))
    }

    #[test]
    fn names_are_told() {
        for word in [
            "binance-api-secret",
            "eos-key-k1",
            "srcs/scan.rs",
            "src/f8a1c2d3e4b5.rs",
            "/tmp/tmp.Ab3dE9xZ12/report.json",
            "origin/main..HEAD~3",
            "2 weeks ago",
            "2024-01-31",
            "2024q3-release",
            "--confidence=sure",
            "json:report.json",
            "*-password",
        ] {
            assert_eq!(told(word), format!("<{word}>"));
        }
    }

    #[test]
    fn values_are_not() {
        let hexadecimal = "0123456789abcdef".repeat(4);
        for word in [
            "Zx9QmL4vTn7Rk2WbY8sH",
            &hexadecimal,
            "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9",
            "ghp_Zx9QmL4vTn7Rk2WbY8sHc5JdGf3P",
            "QmLvTnRkWbYsHcJdGfPaEuXo",
            "wJalrXUt/K7MDENGb/PxRfiCY9",
            "me:hunter@example.com/x.git",
            "legal winner thank year wave sausage worth useful legal winner thank yellow",
        ] {
            let words = told(word);
            assert!(!words.contains(&word[..8]), "{words}");
            assert!(!words.contains(&word[word.len() - 8..]), "{words}");
        }
    }

    #[test]
    fn of_commits_the_beginning_is_told() {
        let commit = "8f3c".repeat(10);
        assert_eq!(told(&format!("{commit}..HEAD")), "<8f3c8f3…..HEAD>");
    }

    #[test]
    fn of_an_option_only_the_value_is_held_back() {
        assert_eq!(told("--config=Zx9QmL4vTn7Rk2WbY8sH"), "<--config=(20 characters)>");
        assert_eq!(told("json:Zx9QmL4vTn7Rk2WbY8sH"), "<json:(20 characters)>");
    }
}
