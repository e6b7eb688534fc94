//! The script that git runs: written here, recognised here.
//!
//! Must not know: where hooks live. Invariant: what `render` writes, `recognise` reads back.

use std::path::{Path, PathBuf};

use super::super::arguments::Stage;
use super::super::text;

/// Raised when the script changes, so that `status` can tell an old one.
pub(crate) const VERSION: u32 = 1;

/// What is appended to the name of a hook that was there before.
pub(crate) const EARLIER: &str = ".before-keyfence";

const MARK: &str = "# keyfence hook script, version ";
const PROGRAM: &str = "program=";

/// What an installed script says about itself.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Recognised {
    /// Its version.
    pub(crate) version: u32,
    /// The program it calls first.
    pub(crate) program: PathBuf,
}

/// The script for `stage` that calls `program`, or `keyfence` from PATH if that is gone.
pub(crate) fn render(stage: Stage, program: &Path) -> Vec<u8> {
    let stage_reads_input = stage.reads_input();
    let is_push = stage_reads_input || stage.is_on_server();
    let stage = stage.as_str();
    let mut script = format!("#!/bin/sh\n{MARK}{VERSION}\n").into_bytes();
    script.extend_from_slice(
        b"# It stops commits that hold secrets. To take it out: keyfence hook uninstall\n",
    );
    script.extend_from_slice(PROGRAM.as_bytes());
    script.extend_from_slice(&quoted(program));
    script.extend_from_slice(format!("\nstage={stage}\n").as_bytes());
    let body = match stage_reads_input {
        true => BODY
            .replace(RUN_EARLIER, RUN_EARLIER_WITH_INPUT)
            .replace(RUN, RUN_WITH_INPUT)
            .replace(READY, READY_WITH_INPUT),
        false => BODY.to_owned(),
    };
    let body = if is_push { body.replace("this commit is stopped", "this push is stopped") } else { body };
    script.extend_from_slice(body.as_bytes());
    script
}

const RUN_EARLIER: &str = "    \"$earlier\" \"$@\"\n";
const READY: &str = "\nif [ -f \"$earlier\" ]";
const READY_WITH_INPUT: &str = "\ninput=$(cat)\nif [ -f \"$earlier\" ]";
const RUN: &str = "exec \"$program\" hook run";

/// What git says on standard input is for both hooks, and can be read once.
const RUN_EARLIER_WITH_INPUT: &str = "    printf '%s\\n' \"$input\" | \"$earlier\" \"$@\"\n";
const RUN_WITH_INPUT: &str = "printf '%s\\n' \"$input\" | \"$program\" hook run";

const BODY: &str = r#"
case $0 in
*/*) folder=${0%/*} ;;
*) folder=. ;;
esac
earlier=$folder/$stage.before-keyfence
if [ -f "$earlier" ] && [ -x "$earlier" ]; then
    "$earlier" "$@"
    code=$?
    if [ "$code" -ne 0 ]; then exit "$code"; fi
fi

if [ ! -f "$program" ] || [ ! -x "$program" ]; then
    gone=$program
    if ! program=$(command -v keyfence); then
        folder=$(cd "$folder" && pwd)
        undo="rm '$folder/$stage'"
        if [ -e "$earlier" ]; then undo="mv '$folder/$stage.before-keyfence' '$folder/$stage'"; fi
        echo "keyfence: this commit is stopped because the program that checks it is gone ($gone): install it again (cargo install keyfence), or remove the hook ($undo)." >&2
        exit 3
    fi
fi
exec "$program" hook run "$stage" -- "$@"
"#;

/// Reads what `render` wrote, of any version; `None` is somebody else's hook.
pub(crate) fn recognise(script: &[u8]) -> Option<Recognised> {
    let mut lines = script.split(|&byte| byte == b'\n');
    let mark = lines.nth(1)?.strip_prefix(MARK.as_bytes())?;
    let version = std::str::from_utf8(mark).ok()?.trim().parse().ok()?;
    let start = find(script, PROGRAM.as_bytes())? + PROGRAM.len();
    Some(Recognised { version, program: unquoted(&script[start..])? })
}

fn quoted(program: &Path) -> Vec<u8> {
    let bytes = program.as_os_str().as_encoded_bytes();
    let word = text::shell_word(bytes);
    if word.starts_with(b"'") { word } else { [b"'", bytes, b"'"].concat() }
}

/// The path in a word that `quoted` wrote: ends at the quote that stands for itself.
fn unquoted(word: &[u8]) -> Option<PathBuf> {
    let mut rest = word.strip_prefix(b"'")?;
    let mut path = Vec::new();
    loop {
        let end = rest.iter().position(|&byte| byte == b'\'')?;
        path.extend_from_slice(&rest[..end]);
        let Some(after) = rest[end..].strip_prefix(b"'\\''") else {
            return Some(from_bytes(path));
        };
        path.push(b'\'');
        rest = after;
    }
}

#[cfg(unix)]
fn from_bytes(path: Vec<u8>) -> PathBuf {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    PathBuf::from(OsStr::from_bytes(&path))
}

#[cfg(not(unix))]
fn from_bytes(path: Vec<u8>) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(&path).into_owned())
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{EARLIER, Recognised, Stage, VERSION, recognise, render};

    #[test]
    fn what_is_written_is_recognised() {
        for program in ["/usr/bin/keyfence", "/a b/it's/$(x)/keyfence", "/new\nline/'", "''"] {
            let program = Path::new(program);
            let script = render(Stage::PreCommit, program);
            assert_eq!(
                recognise(&script),
                Some(Recognised { version: VERSION, program: program.to_owned() })
            );
        }
    }

    #[test]
    fn other_hooks_are_not_ours() {
        for script in ["", "#!/bin/sh\nexec keyfence scan --staged\n", "#!/bin/sh\n# keyfence\n"] {
            assert_eq!(recognise(script.as_bytes()), None, "{script:?}");
        }
    }

    #[test]
    fn what_git_says_reaches_both_hooks() {
        let script = |stage| String::from_utf8(render(stage, Path::new("/k"))).expect("the script is text");
        let push = script(Stage::PrePush);
        assert_eq!(push.matches("printf '%s\\n' \"$input\" |").count(), 2, "{push}");
        assert_eq!(push.matches("input=$(cat)").count(), 1, "{push}");
        assert!(push.contains("this push is stopped"), "{push}");
        assert!(!script(Stage::Update).contains("input"));
        assert!(!script(Stage::PreCommit).contains("input"));
    }

    #[test]
    fn the_script_knows_the_name_of_the_earlier_hook() {
        let script = render(Stage::CommitMsg, Path::new("/k"));
        let script = String::from_utf8(script).expect("the script is text");
        assert!(script.contains(&format!("$stage{EARLIER}")));
    }
}
