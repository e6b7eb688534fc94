//! Repositories that want to do something to whoever scans them: through names and contents in the reports, through
//! their configuration, through their owner, through what git stores. Nothing acts, nothing is run, nothing hangs.

#![cfg(all(unix, feature = "cli"))]

#[path = "common/figures.rs"]
mod figures;
#[path = "hostile/packs.rs"]
mod packs;
#[path = "cli/support.rs"]
mod support;

use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use support::{KEYFENCE, Repository, Sandbox, leaking_env, secret_value, words};

/// The figure of these tests, and how many of them share it.
const FIGURE: (&str, usize) = ("hostile input", 4);

/// Names of files, as an attacker chooses them.
const NAMES: &[&[u8]] = &[
    b"\x1b[2J\x1b]0;title\x07.env",
    b"\xc2\x9b2J.env",
    b"a\n::error file=x,line=1::fake.env",
    b"::set-output name=x::y.env",
    b"##vso[task.setvariable variable=x]y.env",
    b"##[error]fake.env",
    b"a\n##teamcity[buildStatus text='x'].env",
    b"a\r::add-mask::x.env",
    "\u{202e}vne.exe".as_bytes(),
    "a\u{2066}\u{200b}\u{2028}b.env".as_bytes(),
    b"\xff\xfe\x80.env",
    b"=cmd|' |calc'!A0.env",
    b"+1+1.env",
    b"-2+3.env",
    b"@SUM(1).env",
    b"\t=1+1.env",
    b"a\",=1+1,\"b.env",
    b"<img src=x onerror=alert(1)>.env",
    b"a\"><script>alert(1)<",
    b"]]><!--.env",
    b"javascript:alert(1).env",
    b"[a](javascript:alert(1)).env",
    b"`$(touch ran)`.env",
    b"|cell|cell|.env",
    b"%0A::error::x.env",
    b"a\\u001b[2J.env",
];

/// What stands around the leak in a file.
const AROUND: &[&str] = &[
    "\u{1b}[2J\u{1b}]0;title\u{7}",
    "::error::fake",
    "##vso[task.complete result=Succeeded;]",
    "=cmd|' |calc'!A0",
    "<script>alert(1)</script>",
    "\u{202e}\u{2066}",
];

/// The report formats that there are.
fn formats(repository: &Repository<'_>) -> Vec<String> {
    let refused = words(&repository.keyfence(&["scan", "--format", "no such format"]));
    let (_, list) = refused.split_once("[possible values: ").expect("clap names what is possible");
    let (list, _) = list.split_once(']').expect("the list ends");
    let formats: Vec<_> = list.split(", ").map(|format| format.trim().to_owned()).collect();
    assert!(formats.contains(&"json".to_owned()), "{formats:?}");
    formats
}

/// The scans that there are: they grow with the program.
fn scans(repository: &Repository<'_>) -> Vec<Vec<&'static str>> {
    let help = words(&repository.keyfence(&["scan", "--help"]));
    let mut scans = vec![vec!["scan"], vec!["scan", "--no-ignore"], vec!["scan", "--staged"]];
    if help.contains("--history") {
        scans.push(vec!["scan", "--history"]);
    }
    if help.contains("--range") {
        scans.push(vec!["scan", "--range", "begin..HEAD"]);
    }
    scans
}

/// A repository in which everything an attacker can name is hostile; the files are committed and staged again.
fn hostile<'a>(sandbox: &'a Sandbox) -> Repository<'a> {
    let repository = sandbox.repository("repository");
    repository.first_commit();
    repository.git(&["tag", "begin"]);
    let write_all = |more: &str| {
        for (number, name) in NAMES.iter().enumerate() {
            let around = AROUND[number % AROUND.len()];
            let text = format!(
                "{around} {}{around}\n{more}",
                leaking_env().replace('\n', &format!(" # {around}\n"))
            );
            let path = repository.top.join(OsStr::from_bytes(name));
            fs::create_dir_all(path.parent().expect("it is in the work tree")).expect("it is writable");
            fs::write(path, text).expect("the sandbox is writable");
        }
        repository.git(&["add", "--all"]);
    };
    write_all("");
    let message = format!("{}\n\n{}\n{}", AROUND.concat(), AROUND.join("\n"), leaking_env());
    let author = "\u{1b}[2J\u{202e} ::error::x ##vso[y] & 'z' <a@b>";
    repository.git(&[
        "commit",
        "--quiet",
        "--no-verify",
        "--cleanup=verbatim",
        "-m",
        &message,
        "--author",
        author,
    ]);
    repository.git(&["branch", "\u{202e}<script>alert(1)</script>"]);
    // Staged once more with another value, so that the index brings something, too.
    write_all(&leaking_env().replace("f8OYXGw5bmzxh5vo", "Vj74b4TLa1WmMkUz"));
    repository
}

#[test]
fn nothing_from_a_repository_acts_in_a_report() {
    let sandbox = Sandbox::new();
    let repository = hostile(&sandbox);
    let mut faults = Vec::new();
    for format in formats(&repository) {
        for scan in scans(&repository) {
            let arguments = [&scan[..], &["--format", &format, "--no-progress"]].concat();
            let output = repository.keyfence(&arguments);
            assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", words(&output));
            let found = [
                acting(&format, &output.stdout),
                acting("human", &output.stderr),
                judged(&format, &output.stdout),
            ];
            faults
                .extend(found.concat().into_iter().map(|fault| format!("{}: {fault}", arguments.join(" "))));
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    assert!(!repository.top.join("ran").exists());
    figures::share(FIGURE.0, FIGURE.1, NAMES.len() + AROUND.len());
}

/// What a terminal or a CI system would act on.
fn acting(format: &str, output: &[u8]) -> Vec<String> {
    let Ok(text) = std::str::from_utf8(output) else { return vec!["it is not UTF-8".to_owned()] };
    let mut faults = Vec::new();
    let text = text.replace("\r\n", "\n");
    for line in text.lines() {
        let hides = |c: char| {
            c.is_control()
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        };
        if line.contains(hides) {
            faults.push(format!("something acts or hides: {line:?}"));
        }
        let own = format.contains("github")
            && ["::error ", "::warning ", "::notice "].iter().any(|own| line.starts_with(own));
        let commands = ["##[", "##vso[", "##teamcity["];
        if (line.trim_start().starts_with("::") && !own)
            || commands.iter().any(|command| line.contains(command))
        {
            faults.push(format!("a command: {line:?}"));
        }
    }
    if text.contains(&secret_value()) {
        faults.push("the value is there".to_owned());
    }
    faults
}

/// What the reader of a format would act on.
fn judged(format: &str, output: &[u8]) -> Vec<String> {
    if matches!(format, "json" | "sarif" | "gitlab" | "gitlab-codequality") {
        let parsed: Result<serde_json::Value, _> = serde_json::from_slice(output);
        return parsed.err().map(|error| format!("no JSON: {error}")).into_iter().collect();
    }
    if !["csv", "html", "markdown", "junit"].contains(&format) {
        return Vec::new();
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/hostile/judge.py");
    let mut python = Command::new("python3");
    python.args([script, format]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = python.spawn().expect("python3 can be started");
    let mut input = child.stdin.take().expect("it is piped");
    let owned = output.to_vec();
    let writer = std::thread::spawn(move || std::io::Write::write_all(&mut input, &owned));
    let told = child.wait_with_output().expect("it ends");
    writer.join().expect("it does not panic").expect("it reads its input");
    assert!(told.status.success(), "the judge of {format} failed");
    String::from_utf8_lossy(&told.stdout).lines().map(ToOwned::to_owned).collect()
}

#[test]
fn the_judge_sees_what_acts() {
    for (format, text, acts) in [
        ("csv", "path,line\n=1+1,2\n", true),
        ("csv", "path,line\n'=1+1,-2\n", false),
        ("html", "<p><img src=x onerror=alert(1)></p>", true),
        ("html", "<p>&lt;img&gt;</p>", false),
        ("markdown", "- <img src=x onerror=alert(1)>", true),
        ("markdown", "- ``a`` <img src=x onerror=alert(1)> `b`", true),
        ("markdown", "- ``a ` <img src=x onerror=alert(1)>`` b", false),
        ("junit", "<a>\u{1}</a>", true),
        ("junit", "<a>b</a>", false),
        ("json", "{", true),
        ("json", "{}", false),
    ] {
        assert_eq!(!judged(format, text.as_bytes()).is_empty(), acts, "{format}: {text}");
    }
    for (text, acts) in
        [("a\u{1b}[2J\n", true), ("  ::error::x\n", true), ("a ##vso[x]\n", true), ("a :: b\n", false)]
    {
        assert_eq!(!acting("human", text.as_bytes()).is_empty(), acts, "{text:?}");
    }
}

/// Every setting by which a repository can have a program run.
const SETTINGS: &[&str] = &[
    "core.fsmonitor",
    "core.sshCommand",
    "core.pager",
    "core.editor",
    "core.gitProxy",
    "core.askPass",
    "core.alternateRefsCommand",
    "credential.helper",
    "diff.external",
    "diff.canary.textconv",
    "diff.canary.command",
    "filter.canary.clean",
    "filter.canary.smudge",
    "filter.canary.process",
    "merge.canary.driver",
    "gpg.program",
    "gpg.ssh.program",
    "uploadpack.packObjectsHook",
    "receive.procReceiveRefs",
    "remote.origin.uploadpack",
    "remote.origin.receivepack",
    "sequence.editor",
    "interactive.diffFilter",
    "pager.log",
    "trailer.canary.command",
];

/// Hooks that git runs where it only looks.
const HOOKS: [&str; 5] =
    ["pre-commit", "post-index-change", "reference-transaction", "fsmonitor-watchman", "post-checkout"];

/// A repository whose configuration names a program wherever it can; the program leaves a trace.
fn armed<'a>(sandbox: &'a Sandbox) -> (Repository<'a>, PathBuf) {
    let repository = sandbox.repository("armed");
    repository.first_commit();
    repository.git(&["tag", "begin"]);
    repository.stage(".env", &leaking_env());
    repository.git(&["commit", "--quiet", "-m", "Leak"]);
    repository.stage("more.env", &leaking_env());
    let trace = sandbox.path("trace");
    let canary = repository.top.join(".git/canary");
    let script = format!("#!/bin/sh\necho \"$0 $*\" >> '{}'\ncat 2>/dev/null\nexit 0\n", trace.display());
    fs::create_dir_all(repository.top.join(".git/armed-hooks")).expect("the sandbox is writable");
    let hooks = HOOKS.map(|hook| repository.top.join(".git/armed-hooks").join(hook));
    for program in [&canary].into_iter().chain(&hooks) {
        fs::write(program, &script).expect("the sandbox is writable");
        fs::set_permissions(program, fs::Permissions::from_mode(0o755)).expect("it is ours");
    }
    let program = canary.display().to_string();
    let mut text = String::new();
    for setting in SETTINGS {
        let (section, name) = setting.rsplit_once('.').expect("settings have sections");
        let header = match section.split_once('.') {
            Some((section, subsection)) => format!("[{section} \"{subsection}\"]"),
            None => format!("[{section}]"),
        };
        text += &format!("{header}\n\t{name} = \"{program}\"\n");
    }
    text += &format!("[core]\n\thooksPath = \"{}\"\n", repository.top.join(".git/armed-hooks").display());
    text += &format!(
        "[alias]\n\tlog = \"!{program}\"\n\trev-parse = \"!{program}\"\n\tcat-file = \"!{program}\"\n"
    );
    text += &format!("[log]\n\tshowSignature = true\n[submodule \"x\"]\n\tupdate = \"!{program}\"\n");
    text += &format!(
        "[remote \"origin\"]\n\turl = \"ext::{program}\"\n\tpromisor = true\n\tpartialclonefilter = blob:none\n"
    );
    text += "[protocol \"ext\"]\n\tallow = always\n[extensions]\n\tpartialClone = origin\n";
    let config = repository.top.join(".git/config");
    let before = fs::read_to_string(&config).expect("there is a configuration");
    fs::write(config, before.replace("repositoryformatversion = 0", "repositoryformatversion = 1") + &text)
        .expect("the sandbox is writable");
    repository.write(".git/info/attributes", "* diff=canary filter=canary merge=canary\n");
    (repository, trace)
}

#[test]
fn nothing_that_a_configuration_names_is_run() {
    let sandbox = Sandbox::new();
    let (repository, trace) = armed(&sandbox);
    for scan in scans(&repository) {
        let output = repository.keyfence(&scan);
        assert_eq!(output.status.code(), Some(1), "{scan:?}: {}", words(&output));
        assert!(!trace.exists(), "{scan:?} ran {}", fs::read_to_string(&trace).unwrap_or_default());
    }
    for stage in ["pre-commit", "pre-merge-commit"] {
        let output = repository.keyfence(&["hook", "run", stage]);
        assert_eq!(output.status.code(), Some(1), "{stage}: {}", words(&output));
    }
    for command in ["install", "status", "uninstall"] {
        repository.keyfence(&["hook", command]);
    }
    assert!(!trace.exists(), "a hook command ran {}", fs::read_to_string(&trace).unwrap_or_default());
    // What the canary is worth: git itself runs it.
    repository.try_git(&["diff", "--cached"]);
    assert!(trace.exists(), "the canary is alive");
    figures::share(FIGURE.0, FIGURE.1, SETTINGS.len() + HOOKS.len());
}

#[test]
fn an_object_that_a_promisor_keeps_is_not_fetched() {
    let sandbox = Sandbox::new();
    let (repository, trace) = armed(&sandbox);
    let id = words(
        &repository
            .sandbox
            .command("git", &repository.top)
            .args(["-c", "core.fsmonitor=false", "rev-parse", "HEAD:.env"])
            .output()
            .expect("git can be started"),
    );
    let id = id.trim();
    fs::remove_file(repository.top.join(format!(".git/objects/{}/{}", &id[..2], &id[2..])))
        .expect("it is loose");
    let _ = fs::remove_file(&trace);
    for scan in scans(&repository).iter().filter(|scan| scan.len() > 1) {
        let output = repository.keyfence(scan);
        assert_ne!(output.status.code(), Some(0), "{scan:?}: {}", words(&output));
    }
    assert!(!trace.exists(), "it ran {}", fs::read_to_string(&trace).unwrap_or_default());
}

/// Whether the tests run as root, who can give files away and become somebody else.
fn is_root(sandbox: &Sandbox) -> bool {
    fs::metadata(sandbox.path("home")).expect("it was made").uid() == 0
}

/// keyfence as nobody: a copy of the program where anybody may run it.
fn as_nobody(sandbox: &Sandbox, directory: &Path) -> Command {
    let program = sandbox.path("keyfence");
    // By another process: a program that somebody else's child still has open for writing cannot be run.
    let copied = Command::new("cp").arg(KEYFENCE).arg(&program).status().expect("there is cp");
    assert!(copied.success(), "the program can be copied");
    for open in [&sandbox.path(""), &sandbox.path("home"), &program] {
        fs::set_permissions(open, fs::Permissions::from_mode(0o755)).expect("it is ours");
    }
    let mut command = sandbox.command("setpriv", directory);
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(program);
    command
}

/// Names, sizes and bytes of everything below a directory.
fn snapshot(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut all = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(&directory).expect("it can be listed") {
            let path = entry.expect("it can be listed").path();
            let metadata = fs::symlink_metadata(&path).expect("it is there");
            if metadata.is_dir() {
                all.push((path.clone(), Vec::new()));
                open.push(path);
            } else if metadata.is_file() {
                let bytes = fs::read(&path).expect("it can be read");
                all.push((path, bytes));
            }
        }
    }
    all.sort();
    all
}

#[test]
fn a_repository_of_somebody_else_is_read_and_left_as_it_is() {
    let sandbox = Sandbox::new();
    let (repository, trace) = armed(&sandbox);
    let before = snapshot(&repository.top);
    for scan in scans(&repository) {
        // Whoever is not root reads their own: the owner cannot be another then.
        let mut command = match is_root(&sandbox) {
            true => as_nobody(&sandbox, &repository.top),
            false => sandbox.command(KEYFENCE, &repository.top),
        };
        let output = command.args(&scan).env("TMPDIR", "/nonexistent").env("HOME", "/nonexistent").output();
        let output = output.expect("keyfence can be started");
        assert_eq!(output.status.code(), Some(1), "{scan:?}: {}", words(&output));
    }
    assert_eq!(snapshot(&repository.top), before, "nothing was written");
    assert!(!trace.exists(), "nothing was run");
}

#[test]
fn a_report_that_may_not_be_written_is_told() {
    let sandbox = Sandbox::new();
    if !is_root(&sandbox) {
        return;
    }
    let repository = sandbox.repository("closed");
    repository.stage(".env", &leaking_env());
    let output = as_nobody(&sandbox, &repository.top)
        .args(["scan", "--staged", "--output", "report.json", "--format", "json"])
        .output()
        .expect("it starts");
    assert_eq!(output.status.code(), Some(1), "{}", words(&output));
    assert!(words(&output).contains("cannot write the report to report.json"), "{}", words(&output));
    assert!(!repository.top.join("report.json").exists());
}

#[test]
fn a_reader_who_goes_away_changes_no_exit_code() {
    let sandbox = Sandbox::new();
    let repository = hostile(&sandbox);
    for format in formats(&repository) {
        let mut command = sandbox.command(KEYFENCE, &repository.top);
        command.args(["scan", "--format", &format]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        drop(child.stdout.take());
        let mut errors = String::new();
        child.stderr.take().expect("it is piped").read_to_string(&mut errors).expect("it is UTF-8");
        let status = child.wait().expect("it ends");
        assert_eq!(status.code(), Some(1), "{format}: {errors}");
        assert!(!errors.contains("failed"), "{format}: {errors}");
    }
}

/// Runs to the end within a minute and a bounded amount of memory.
fn bounded(sandbox: &Sandbox, directory: &Path, arguments: &[&str]) -> (Output, Duration) {
    let begun = Instant::now();
    let script = format!("ulimit -v 4000000; exec timeout 60 '{KEYFENCE}' \"$@\"");
    let mut command = sandbox.command("/bin/sh", directory);
    let output = command.args(["-c", &script, "sh"]).args(arguments).output().expect("there is a shell");
    (output, begun.elapsed())
}

#[test]
fn packs_that_lie_are_told_and_the_rest_is_scanned() {
    let mut faults = Vec::new();
    for lie in packs::LIES {
        let sandbox = Sandbox::new();
        let repository = sandbox.repository("lying");
        repository.first_commit();
        packs::stage_lie(&repository, lie);
        repository.stage(".env", &leaking_env());
        for scan in
            scans(&repository).iter().filter(|scan| scan.contains(&"--staged") || scan.contains(&"--history"))
        {
            let (output, elapsed) = bounded(&sandbox, &repository.top, scan);
            let told = words(&output);
            let found = output.status.code() == Some(1) && told.contains(".env");
            if !found || told.contains("keyfence itself failed") || elapsed > Duration::from_secs(20) {
                faults.push(format!("{lie}, {scan:?}: {:?} in {elapsed:?}: {told}", output.status));
            }
            // Alone, without the leak, such a pack must not pass for clean.
            repository.git(&["rm", "--quiet", "--cached", "-f", ".env"]);
            let (output, _) = bounded(&sandbox, &repository.top, scan);
            if scan.contains(&"--staged") && output.status.code() != Some(3) {
                faults.push(format!("{lie}, {scan:?}, no leak: {:?}: {}", output.status, words(&output)));
            }
            repository.stage(".env", &leaking_env());
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    figures::share(FIGURE.0, FIGURE.1, packs::LIES.len());
}

#[test]
fn ten_gigabytes_that_pack_to_ten_megabytes_are_not_unpacked() {
    let sandbox = Sandbox::new();
    let repository = sandbox.repository("bomb");
    repository.first_commit();
    packs::stage_lie(&repository, "ten gigabytes");
    for scan in [&["scan", "--staged"][..], &["scan", "--history"], &["hook", "run", "pre-commit"]] {
        let (output, elapsed) = bounded(&sandbox, &repository.top, scan);
        assert_eq!(output.status.code(), Some(3), "{scan:?}: {}", words(&output));
        assert!(words(&output).contains("10737418240 bytes"), "{scan:?}: {}", words(&output));
        assert!(elapsed < Duration::from_secs(5), "{scan:?}: {elapsed:?}");
    }
    figures::share(FIGURE.0, FIGURE.1, 1);
}
