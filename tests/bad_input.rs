//! Input that is broken, endless or hostile, through the real program: each gets a clear word, the right exit code
//! and an end within a minute, and nothing from a file reaches the terminal as it is.

#![cfg(unix)]

#[path = "common/figures.rs"]
mod figures;
#[path = "cli/support.rs"]
mod support;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use support::{KEYFENCE, Sandbox, leaking_env, secret_value};

/// No scan here may take so long, on any machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is prepared in an empty directory, what is typed there, the exit code, and what has to be said.
struct Row {
    name: &'static str,
    prepare: fn(&Path),
    arguments: &'static [&'static str],
    code: i32,
    says: &'static str,
}

const fn row(
    name: &'static str,
    prepare: fn(&Path),
    arguments: &'static [&'static str],
    code: i32,
    says: &'static str,
) -> Row {
    Row { name, prepare, arguments, code, says }
}

fn nothing(_: &Path) {}

fn write(directory: &Path, name: &str, bytes: impl AsRef<[u8]>) {
    let file = directory.join(name);
    fs::create_dir_all(file.parent().expect("it is in the directory")).expect("the sandbox is writable");
    fs::write(file, bytes).expect("the sandbox is writable");
}

fn leak(directory: &Path) {
    write(directory, ".env", leaking_env());
}

fn shell(directory: &Path, script: &str) {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script]).current_dir(directory).env("GIT_CONFIG_GLOBAL", "/dev/null");
    let output = command.output().expect("there is a shell");
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
}

fn fifo(directory: &Path, name: &str) {
    shell(directory, &format!("mkdir -p \"$(dirname '{name}')\"; rm -f '{name}'; mkfifo '{name}'"));
}

fn repository(directory: &Path) {
    shell(directory, "git init --quiet .");
    leak(directory);
    shell(directory, "git add --all");
}

/// A leak at the end of a tower of directories with names of `length` letters.
fn tower(directory: &Path, length: usize) {
    fs::write(directory.join("leak"), leaking_env()).expect("the sandbox is writable");
    let name = "d".repeat(length);
    let script = format!(
        "leak=$PWD/leak; i=0; while [ $i -lt 2000 ]; do mkdir {name} && cd -P {name} || exit 1; i=$((i+1)); done; \
         mv \"$leak\" .env"
    );
    shell(directory, &script);
}

const TREE: &[Row] = &[
    row("a missing path", nothing, &["scan", "missing"], 3, "missing: no such file or directory"),
    row(
        "a missing path beside a leak",
        leak,
        &["scan", "missing", "."],
        1,
        "missing: no such file or directory",
    ),
    row("an empty path", nothing, &["scan", ""], 2, "a value is required"),
    row("a pipe in a directory", |d| fifo(d, "pipe"), &["scan"], 0, "1 pipe, socket or device"),
    row("a named pipe", |d| fifo(d, "pipe"), &["scan", "pipe"], 3, "pipe: "),
    row(
        "a socket",
        |d| drop(std::os::unix::net::UnixListener::bind(d.join("socket")).expect("the sandbox is writable")),
        &["scan"],
        0,
        "1 pipe, socket or device",
    ),
    row("a device", nothing, &["scan", "/dev/zero"], 3, "/dev/zero: "),
    row(
        "a link to an endless device",
        |d| symlink("/dev/zero", d.join("zero")).expect("links can be made"),
        &["scan"],
        0,
        "1 symbolic link",
    ),
    row(
        "a named link to an endless device",
        |d| symlink("/dev/zero", d.join("zero")).expect("links can be made"),
        &["scan", "zero"],
        3,
        "zero: ",
    ),
    row("a loop of links", |d| shell(d, "ln -s b a; ln -s a b; ln -s . c"), &["scan"], 0, "3 symbolic links"),
    row("a named loop of links", |d| shell(d, "ln -s b a; ln -s a b"), &["scan", "a"], 3, "a: "),
    row("a pipe as .gitignore", |d| fifo(d, ".gitignore"), &["scan"], 3, ".gitignore: "),
    row("a pipe as .ignore below", |d| fifo(d, "sub/.ignore"), &["scan"], 3, "sub/.ignore: "),
    row(
        "a pipe as .git/info/exclude",
        |d| {
            repository(d);
            fifo(d, ".git/info/exclude");
        },
        &["scan"],
        3,
        ".git/info/exclude: ",
    ),
    row(
        "a pipe as .gitignore, rules not asked for",
        |d| {
            leak(d);
            fifo(d, ".gitignore");
        },
        &["scan", "--no-ignore"],
        1,
        ".env:1",
    ),
    row("a tower of 2,000 directories", |d| tower(d, 1), &["scan"], 1, "/.env:1"),
    row(
        "a tower whose paths the system refuses",
        |d| tower(d, 4),
        &["scan"],
        3,
        "longer than the system can open",
    ),
    row(
        "one line of 50 MB",
        |d| write(d, "bundle.js", format!("{}\n{}", "let a=1;".repeat(50 << 17), leaking_env())),
        &["scan"],
        1,
        "bundle.js:2:",
    ),
    row(
        "a large file that is a hole",
        |d| {
            let file = File::create(d.join("disk.img")).expect("the sandbox is writable");
            file.set_len(32 << 20).expect("the file system knows holes");
        },
        &["scan"],
        0,
        "33.6 MB",
    ),
    row(
        "a file above the limit",
        |d| {
            let file = File::create(d.join("disk.img")).expect("the sandbox is writable");
            file.set_len(1 << 40).expect("the file system knows holes");
        },
        &["scan", "--max-file-size", "1G"],
        0,
        "1 file over the size limit",
    ),
];

const GIT: &[Row] = &[
    row("no repository", nothing, &["scan", "--staged"], 3, "not in a git repository"),
    row("a bare repository", |d| shell(d, "git init --quiet --bare ."), &["scan", "--staged"], 3, "bare"),
    row(
        "a corrupt index",
        |d| {
            repository(d);
            write(d, ".git/index", "DIRC\0\0\0\u{2}nonsense");
        },
        &["scan", "--staged"],
        3,
        "cannot read the index",
    ),
    row(
        "an empty index file",
        |d| {
            repository(d);
            write(d, ".git/index", "");
        },
        &["scan", "--staged"],
        3,
        "cannot read the index",
    ),
    row(
        "a pipe as the index",
        |d| {
            repository(d);
            fifo(d, ".git/index");
        },
        &["scan", "--staged"],
        3,
        "index",
    ),
    row(
        "a pipe as HEAD",
        |d| {
            repository(d);
            fifo(d, ".git/HEAD");
        },
        &["scan", "--staged"],
        3,
        "",
    ),
    row(
        "a pipe as the configuration",
        |d| {
            repository(d);
            fifo(d, ".git/config");
        },
        &["scan", "--staged"],
        3,
        "config",
    ),
    row("a pipe as .git", |d| fifo(d, ".git"), &["scan", "--staged"], 3, "not in a git repository"),
    row(
        "a .git file that leads nowhere",
        |d| write(d, ".git", "gitdir: /no/such\u{1b}[2J\n"),
        &["scan", "--staged"],
        3,
        "",
    ),
    row("a missing message", nothing, &["hook", "run", "commit-msg", "missing"], 3, "this commit is stopped"),
    row(
        "a pipe as the message",
        |d| {
            repository(d);
            fifo(d, "message");
        },
        &["hook", "run", "commit-msg", "message"],
        3,
        "git commit --no-verify",
    ),
];

/// A pack that would be right.
const PACK: &str = "\
provider: acme
title: Acme
";

const PACKS: &[Row] = &[
    row("no YAML", |d| write(d, "p.yaml", "provider: [\n"), &["scan", "--rules", "p.yaml"], 2, "p.yaml"),
    row(
        "an unknown field",
        |d| write(d, "p.yaml", format!("{PACK}colour: red\n")),
        &["scan", "--rules", "p.yaml"],
        2,
        "unknown field `colour`",
    ),
    row(
        "an escape in a field",
        |d| write(d, "p.yaml", format!("{PACK}\"a\\e[2J\": red\n")),
        &["scan", "--rules", "p.yaml"],
        2,
        "unknown field",
    ),
    row(
        "an id that exists",
        |d| {
            let builtin = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/exchanges/binance.yaml");
            write(d, "binance.yaml", fs::read(builtin).expect("it is in the repository"));
        },
        &["scan", "--rules", "binance.yaml"],
        2,
        "binance",
    ),
    row(
        "too large",
        |d| write(d, "p.yaml", "#".repeat((1 << 20) + 1)),
        &["scan", "--rules", "p.yaml"],
        2,
        "larger",
    ),
    row("a pipe", |d| fifo(d, "p.yaml"), &["scan", "--rules", "p.yaml"], 2, "no regular file"),
    row("a device", nothing, &["scan", "--rules", "/dev/zero"], 2, "no regular file"),
    row("missing", nothing, &["scan", "--rules", "p.yaml"], 2, "p.yaml cannot be read"),
    row(
        "no UTF-8",
        |d| write(d, "p.yaml", b"a: \xff\n"),
        &["scan", "--rules", "p.yaml"],
        2,
        "p.yaml cannot be read",
    ),
    row("no text", |d| write(d, "p.yaml", ""), &["scan", "--rules", "p.yaml"], 2, "p.yaml"),
    row(
        "a directory of itself",
        |d| shell(d, "mkdir p.d; ln -s . p.d/p.yaml"),
        &["scan", "--rules", "p.d"],
        2,
        "p.yaml",
    ),
];

const OUTPUT: &[Row] = &[
    row("a missing directory", nothing, &["scan", "-o", "no/such/report"], 3, "no/such/report"),
    row(
        "a directory",
        |d| shell(d, "mkdir out"),
        &["scan", "-o", "out"],
        3,
        "cannot write the report to out",
    ),
    row("a full disk", leak, &["scan", "-o", "/dev/full"], 1, "cannot write the report to /dev/full"),
    row(
        "a name with an escape",
        nothing,
        &["scan", "-o", "no/such/\u{1b}[2J-report"],
        3,
        "no/such/\\x1b[2J-report",
    ),
];

#[test]
fn broken_trees() {
    try_all(TREE);
}

#[test]
fn broken_repositories() {
    try_all(GIT);
}

#[test]
fn broken_packs() {
    try_all(PACKS);
}

#[test]
fn broken_output() {
    try_all(OUTPUT);
}

#[test]
fn names_that_would_act_on_a_terminal_are_written_out() {
    let names: &[&[u8]] =
        &[b"a\nb.env", b"a\x1b]0;t\x07\x1b[2J.env", b"a\xff\xfe.env", "a\u{202e}b\u{9b}2J.env".as_bytes()];
    for name in names {
        let name = OsStr::from_bytes(name);
        let sandbox = Sandbox::new();
        let directory = empty(&sandbox);
        let missing = finished("missing", sandbox.command(KEYFENCE, &directory).arg("scan").arg(name));
        assert_eq!(missing.0, Some(3), "{name:?}: {}", missing.1);
        fs::write(directory.join(name), leaking_env()).expect("the sandbox is writable");
        for format in ["human", "json"] {
            let mut command = sandbox.command(KEYFENCE, &directory);
            let (code, told) = finished("a leak", command.args(["scan", "-f", format]));
            assert_eq!(code, Some(1), "{name:?}: {told}");
        }
    }
}

#[test]
fn what_may_not_be_read_is_told() {
    for (name, script) in
        [("a file", "echo x > closed; chmod 0 closed"), ("a directory", "mkdir closed; chmod 0 closed")]
    {
        let sandbox = Sandbox::new();
        let directory = empty(&sandbox);
        shell(&directory, script);
        let mut command = as_nobody(&sandbox, &directory);
        let (code, told) = finished(name, command.arg("scan"));
        assert_eq!(code, Some(3), "{name}: {told}");
        assert!(told.contains("closed: no permission to read it"), "{name}: {told}");
        shell(&directory, "chmod 700 closed");
    }
}

/// keyfence as somebody who may not read everything: root has to become somebody else for it.
fn as_nobody(sandbox: &Sandbox, directory: &Path) -> Command {
    if fs::metadata(directory).expect("it was made").uid() != 0 {
        return sandbox.command(KEYFENCE, directory);
    }
    let program = sandbox.path("keyfence");
    fs::copy(KEYFENCE, &program).expect("the program can be copied");
    for open in [&sandbox.path(""), directory, &program] {
        fs::set_permissions(open, fs::Permissions::from_mode(0o755)).expect("it is ours");
    }
    let mut command = sandbox.command("setpriv", directory);
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(program);
    command
}

#[test]
fn standard_input_and_output_may_be_missing() {
    let scan = format!("'{KEYFENCE}' scan");
    for (name, content, script, code) in [
        ("no standard output", leaking_env(), format!("{scan} >&-"), 1),
        ("no standard output, clean", "A=b\n".to_owned(), format!("{scan} >&-"), 0),
        ("no output at all", leaking_env(), format!("{scan} >&- 2>&-"), 1),
        ("no standard input", "A=b\n".to_owned(), format!("{scan} - <&-"), 0),
        ("a directory as standard input", leaking_env(), format!("{scan} - <."), 3),
        ("standard input ends in a leak", leaking_env(), format!("cat .env | {scan} -"), 1),
    ] {
        let sandbox = Sandbox::new();
        let directory = empty(&sandbox);
        write(&directory, ".env", content);
        let (actual, told) = finished(name, sandbox.command("/bin/sh", &directory).args(["-c", &script]));
        assert_eq!(actual, Some(code), "{name}: {told}");
    }
}

fn empty(sandbox: &Sandbox) -> std::path::PathBuf {
    let directory = sandbox.path("input");
    fs::create_dir(&directory).expect("the sandbox is writable");
    directory
}

/// Tries every row and tells all that went wrong at once.
fn try_all(rows: &[Row]) {
    let mut wrong = Vec::new();
    for row in rows {
        if let Err(panic) = std::panic::catch_unwind(|| try_row(row)) {
            let reason = panic.downcast::<String>().map_or_else(|_| String::new(), |reason| *reason);
            wrong.push(format!("{}: {reason}", row.name));
        }
    }
    assert!(wrong.is_empty(), "{} of {} rows went wrong:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
    figures::share("bad input", 4, rows.len());
}

fn try_row(row: &Row) {
    let sandbox = Sandbox::new();
    let directory = empty(&sandbox);
    (row.prepare)(&directory);
    let (code, told) = finished(row.name, sandbox.command(KEYFENCE, &directory).args(row.arguments));
    // A tower is too high for the standard library's own way to remove it.
    shell(&directory, "rm -rf ./d*");
    assert_eq!(code, Some(row.code), "{told}");
    assert!(told.contains(row.says), "{:?} is not in\n{told}", row.says);
}

/// Runs to the end, or fails; gives the exit code and both outputs, which are checked for what may never be there.
fn finished(name: &str, command: &mut Command) -> (Option<i32>, String) {
    let outputs = tempfile::tempdir().expect("a temporary directory can be made");
    let stream = |name: &str| File::create(outputs.path().join(name)).expect("the directory is writable");
    command.stdin(Stdio::null()).stdout(stream("out")).stderr(stream("err"));
    let mut child = command.spawn().expect("the program can be started");
    let begun = Instant::now();
    let status = loop {
        match child.try_wait().expect("the child is ours") {
            Some(status) => break status,
            None if begun.elapsed() > PATIENCE => {
                child.kill().expect("the child is ours");
                child.wait().expect("the child is ours");
                panic!("{name}: it hangs");
            }
            None => std::thread::sleep(Duration::from_millis(10)),
        }
    };
    let bytes = ["out", "err"].map(|name| fs::read(outputs.path().join(name)).expect("it was made")).concat();
    let told = String::from_utf8(bytes).expect("what is told is UTF-8");
    let acts = |character: char| {
        (character.is_control() && character != '\n') || ('\u{202a}'..='\u{202e}').contains(&character)
    };
    assert!(!told.contains(acts), "{name}: something acts on the terminal: {told:?}");
    assert!(!told.contains(&secret_value()), "{name}: the secret was printed");
    assert!(!told.contains("keyfence itself failed"), "{name}: {told}");
    (status.code(), told)
}
