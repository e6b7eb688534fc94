//! What a push would bring, from what git tells the hooks of a push.
//!
//! Must not know: how a range is walked. Invariant: a line that is not understood stops the push; only what git calls
//! a deletion counts as nothing.

use std::io::Read;

use super::super::failure::Failure;
use super::super::request::HookInput;
use crate::source::git::{Known, RangeHead, RangeSelection};

/// So many references nobody pushes at once.
const INPUT_LIMIT: u64 = 64 * 1024 * 1024;

/// What is pushed, and whether it may say itself what is allowed; nothing when only deletions are pushed.
pub(crate) fn selection(input: &HookInput) -> Result<Option<(RangeSelection, bool)>, Failure> {
    let (selection, trusted) = match input {
        HookInput::Known(_) => (None, true),
        HookInput::Push { remote, address } => {
            let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
            let selection = match from_pre_commit(&variable) {
                Some(selection) => Some(selection),
                None => outgoing(&read_input()?, remote, address)?,
            };
            (selection, true)
        }
        HookInput::Receive => (incoming(&read_input()?)?, false),
        HookInput::Update { reference, new } => {
            let line = format!("{} {new} {reference}", "0".repeat(new.len()));
            (incoming(&line)?, false)
        }
    };
    Ok(selection.map(|selection| (selection, trusted)))
}

fn read_input() -> Result<String, Failure> {
    let mut text = Vec::new();
    let read = std::io::stdin().lock().take(INPUT_LIMIT).read_to_end(&mut text);
    read.map_err(|error| Failure::file("read what is pushed from standard input", &error))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn is_nothing(id: &str) -> bool {
    id.bytes().all(|byte| byte == b'0')
}

fn not_understood() -> Failure {
    Failure::unfinished(
        "what git told the hook about the push is not understood",
        "the hook has to be called by git, with its standard input handed on",
    )
}

/// `local-reference local-id remote-reference remote-id` in each line.
fn outgoing(text: &str, remote: &str, address: &str) -> Result<Option<RangeSelection>, Failure> {
    // A remote that is an address has no references of its own here.
    let is_address = remote.is_empty() || remote == address;
    let mut selection = RangeSelection {
        known: if is_address { Known::AnyRemote } else { Known::Remote(remote.to_owned()) },
        ..RangeSelection::default()
    };
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let words: Vec<&str> = line.split(' ').collect();
        let [.., local, name, there] = words[..] else { return Err(not_understood()) };
        if is_nothing(local) {
            continue;
        }
        selection.heads.push(RangeHead { revision: local.to_owned(), name: Some(name.to_owned()) });
        if !is_nothing(there) {
            selection.also_known.push(there.to_owned());
        }
    }
    Ok(Some(selection).filter(|selection| !selection.heads.is_empty()))
}

/// The pre-commit framework reads standard input itself and hands on the first reference in variables.
fn from_pre_commit(variable: &dyn Fn(&str) -> Option<String>) -> Option<RangeSelection> {
    let remote = variable("PRE_COMMIT_REMOTE_NAME")?;
    let head = variable("PRE_COMMIT_TO_REF").or_else(|| variable("PRE_COMMIT_LOCAL_BRANCH"))?;
    let is_address = variable("PRE_COMMIT_REMOTE_URL").as_deref() == Some(&remote);
    Some(RangeSelection {
        heads: vec![RangeHead { revision: head, name: variable("PRE_COMMIT_REMOTE_BRANCH") }],
        also_known: variable("PRE_COMMIT_FROM_REF").into_iter().collect(),
        known: if is_address { Known::AnyRemote } else { Known::Remote(remote) },
        ..RangeSelection::default()
    })
}

/// `old-id new-id reference` in each line.
fn incoming(text: &str) -> Result<Option<RangeSelection>, Failure> {
    let mut selection = RangeSelection { known: Known::AllReferences, ..RangeSelection::default() };
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let words: Vec<&str> = line.splitn(3, ' ').collect();
        let [_, new, name] = words[..] else { return Err(not_understood()) };
        if !is_nothing(new) {
            selection.heads.push(RangeHead { revision: new.to_owned(), name: Some(name.to_owned()) });
        }
    }
    Ok(Some(selection).filter(|selection| !selection.heads.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::{Known, from_pre_commit, incoming, outgoing};

    #[test]
    fn what_git_tells_is_understood() {
        let zeros = "0".repeat(40);
        let text = format!(
            "refs/heads/a aa refs/heads/b {zeros}\nx bb refs/heads/c cc\n(delete) {zeros} refs/heads/d dd\n"
        );
        let selection = outgoing(&text, "origin", "url").ok().flatten().expect("two references are pushed");
        let heads: Vec<_> = selection.heads.iter().map(|head| head.revision.as_str()).collect();
        assert_eq!(heads, ["aa", "bb"]);
        assert_eq!(selection.also_known, ["cc"]);
        assert_eq!(selection.known, Known::Remote("origin".to_owned()));
        let address = outgoing(&text, "url", "url").ok().flatten().map(|selection| selection.known);
        assert_eq!(address, Some(Known::AnyRemote));
        for nothing in [String::new(), format!("(delete) {zeros} refs/heads/d dd\n")] {
            assert!(matches!(outgoing(&nothing, "origin", "url"), Ok(None)), "{nothing:?}");
        }
        assert!(outgoing("garbage\n", "origin", "url").is_err());
        let received = incoming(&format!("{zeros} aa refs/heads/a\ncc {zeros} refs/heads/d\n"));
        let received = received.ok().flatten().expect("one reference is received");
        assert_eq!(received.heads.len(), 1);
        assert_eq!(received.known, Known::AllReferences);
        assert!(incoming("garbage\n").is_err());
    }

    #[test]
    fn what_pre_commit_tells_is_understood() {
        let variables = [("PRE_COMMIT_REMOTE_NAME", "origin"), ("PRE_COMMIT_LOCAL_BRANCH", "refs/heads/x")];
        let find = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        let selection = from_pre_commit(&find).expect("it runs here");
        assert_eq!(selection.heads[0].revision, "refs/heads/x");
        assert_eq!(from_pre_commit(&|_| None), None);
    }
}
