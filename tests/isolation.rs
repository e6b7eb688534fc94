//! A run has nothing to do with others: no network, no other program, and no thread where none can be had.
//!
//! Every command is run in an empty network namespace, under `strace` that tells every process and every socket, and
//! with threads that cannot be started, from the first one on, the second one on and so forth: what it says and writes
//! is always the same.

#![allow(clippy::print_stderr, reason = "why something was not tried")]
#![cfg(all(target_os = "linux", feature = "cli"))]

#[path = "common/strace.rs"]
mod strace;
#[path = "cli/support.rs"]
mod support;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use support::{KEYFENCE, Repository, Sandbox, secret_value};

/// Longer than any run takes, in seconds; one that waits for a thread would take for ever.
const PATIENCE: &str = "60";
/// From this many changes on they are shared out among threads, and so are indexes of this many entries.
const MANY_CHANGES: usize = 40;
const MANY_ENTRIES: usize = 50_000;

/// Every command, one line each. `-` reads the standard input, which is a leak.
const COMMANDS: &[&str] = &[
    "scan -f json",
    "scan -f human",
    "scan -f sarif -j 2",
    "scan -f json -j 1",
    "scan -f json one.env",
    "scan -f json one.env two.env many",
    "scan -f json --no-ignore --no-config",
    "scan -f csv -",
    "scan -o html:out.html -o json:out.json -o junit:out.xml",
    "scan --staged -f json",
    "scan --range HEAD~2..HEAD -f json",
    "scan --range HEAD~2..HEAD -f json -j 1",
    "scan --history --no-cache -f json",
    "scan --history --no-cache -f json -j 1",
    "scan --history -f json",
    "ci --base HEAD~3 --head HEAD",
    "baseline create",
    "baseline show",
    "baseline prune",
    "config show",
    "init --force",
    "doctor",
    "hook install",
    "hook status",
    "hook run pre-commit",
    "hook uninstall",
    "rules list",
    "rules show binance-api-key",
    "explain binance-api-key",
    "completions bash",
    "man",
    "--help",
    "--version",
];

/// What comes of a run.
struct Came {
    code: Option<i32>,
    stdout: String,
    stderr: String,
    /// What is in the work tree and the git directory afterwards.
    files: Vec<(String, Vec<u8>)>,
}

/// A repository that has something in every place, and enough of it to be shared out.
fn repository(sandbox: &Sandbox) -> Repository<'_> {
    let repository = sandbox.repository("template");
    let _ = fs::remove_dir_all(repository.top.join(".git/hooks"));
    repository.first_commit();
    for round in 0..4 {
        for number in 0..MANY_CHANGES {
            repository.write(&format!("many/{number}/{number}.py"), &format!("x = {round}\n").repeat(50));
        }
        repository.git(&["add", "-A"]);
        repository.git(&["commit", "-q", "--no-verify", "-m", "More"]);
    }
    repository.stage("gone.env", &support::leaking_env());
    repository.git(&["commit", "-q", "--no-verify", "-m", "Leak"]);
    repository.git(&["gc", "-q"]);
    repository.git(&["rm", "-q", "gone.env"]);
    repository.git(&["commit", "-q", "--no-verify", "-m", "Forget it"]);
    for number in 0..MANY_CHANGES {
        repository.write(&format!("many/{number}/{number}.py"), &"x = 9\n".repeat(50));
    }
    repository.write("one.env", &support::leaking_env());
    repository.write("two.env", "nothing = 1\n");
    repository.git(&["add", "many", "one.env", "two.env"]);
    repository
}

/// Enters so many more files into the index that several threads read it.
fn enlarge_index(repository: &Repository<'_>) {
    let blob = repository.git(&["rev-parse", "HEAD:README.md"]);
    let blob = String::from_utf8_lossy(&blob.stdout).trim().to_owned();
    let mut entries = String::new();
    for number in 0..MANY_ENTRIES {
        let _ =
            writeln!(entries, "100644 {blob}\tlarge/{}/a-name-that-is-rather-long-{number}.md", number % 100);
    }
    // Without the table of offsets only one thread could read it.
    let mut git = repository.sandbox.command("git", &repository.top);
    git.args(["-c", "index.threads=4", "update-index", "--index-info"]).stdin(Stdio::piped());
    let mut git = git.spawn().expect("git can be started");
    git.stdin.take().expect("it is piped").write_all(entries.as_bytes()).expect("git reads it");
    assert!(git.wait().expect("git ends").success());
    let index = fs::metadata(repository.top.join(".git/index")).expect("it was just written");
    assert!(index.len() > 4 << 20, "the index is large: {}", index.len());
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg("--").arg(from).arg(to).status();
    assert!(copied.expect("cp can be started").success());
}

/// Runs keyfence in a new copy of the template, by way of `wrapper`.
fn run(sandbox: &Sandbox, wrapper: &[&str], command: &str) -> Came {
    let top = sandbox.path("work");
    let _ = fs::remove_dir_all(&top);
    copy(&sandbox.path("template"), &top);
    let mut started = sandbox.command("timeout", &top);
    started.args(["-k", "1", PATIENCE]).args(wrapper).arg(KEYFENCE).args(command.split(' '));
    let mut started = started
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("timeout can be started");
    // Those that do not read it may have closed it.
    let _ = started.stdin.take().expect("it is piped").write_all(support::leaking_env().as_bytes());
    let output = started.wait_with_output().expect("it ends");
    came(&output, &top)
}

fn came(output: &Output, top: &Path) -> Came {
    let mut files = Vec::new();
    list(top, top, &mut files);
    files.sort();
    Came {
        code: output.status.code(),
        stdout: without_time(&output.stdout),
        stderr: without_time(&output.stderr),
        files,
    }
}

/// The text without how long it took: `in 0.02 s`.
fn without_time(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let is_time = |word: &str| word.contains('.') && word.parse::<f64>().is_ok();
    text.split(' ').filter(|word| !is_time(word)).collect::<Vec<_>>().join(" ")
}

/// All files below; of those with salt or time in them only that they are there.
fn list(directory: &Path, top: &Path, files: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(directory).expect("it is there").flatten() {
        let path = entry.path();
        let name = path.strip_prefix(top).expect("it is below").to_string_lossy().into_owned();
        if path.is_dir() {
            list(&path, top, files);
        } else {
            let changes = [".keyfence-baseline", ".git/keyfence/history", "out.html"];
            let content = if changes.contains(&name.as_str()) {
                Vec::new()
            } else {
                fs::read(&path).expect("it is there")
            };
            files.push((name, content));
        }
    }
}

/// Fails if a run came out other than one without any hindrance.
fn assert_same(what: &str, command: &str, came: &Came, free: &Came) {
    assert_eq!(came.code, free.code, "{what}: {command}: {}{}", came.stdout, came.stderr);
    assert_eq!(came.stdout, free.stdout, "{what}: {command}");
    assert_eq!(came.stderr, free.stderr, "{what}: {command}");
    assert!(came.files == free.files, "{what}: {command}: it writes something else");
}

fn can_run(wrapper: &[&str]) -> bool {
    let (program, arguments) = wrapper.split_first().expect("it has a program");
    Command::new(program).args(arguments).arg("true").output().is_ok_and(|output| output.status.success())
}

#[test]
fn without_a_network_all_is_the_same() {
    let wrapper = ["unshare", "--map-root-user", "--net"];
    if !can_run(&wrapper) {
        eprintln!("SKIPPED: no empty network namespace may be made here");
        return;
    }
    let sandbox = Sandbox::new();
    repository(&sandbox);
    for command in COMMANDS {
        let free = run(&sandbox, &["env"], command);
        assert!(matches!(free.code, Some(0 | 1 | 3)), "{command}: {}{}", free.stdout, free.stderr);
        assert_same("without a network", command, &run(&sandbox, &wrapper, command), &free);
    }
}

#[test]
fn no_program_is_started_and_no_socket_is_opened() {
    if !strace::works() {
        eprintln!("SKIPPED: strace is not there or may not trace");
        return;
    }
    let sandbox = Sandbox::new();
    repository(&sandbox);
    let trace = sandbox.path("trace");
    let trace = trace.to_str().expect("temporary paths are text");
    let wrapper = ["strace", "-f", "-qq", "-s", "0", "-o", trace, "--trace=%process,%network"];
    let mut seen = BTreeSet::new();
    for command in COMMANDS {
        run(&sandbox, &wrapper, command);
        let trace = fs::read_to_string(trace).expect("strace writes it");
        let calls: Vec<&str> = trace.lines().filter(|line| !is_end(line)).collect();
        let (first, others) = calls.split_first().expect("a program was started");
        assert!(first.contains("execve("), "{command}: {first}");
        for call in others {
            assert!(is_own_thread(call), "{command}: {call}");
        }
        seen.extend(others.iter().map(|call| name(call).to_owned()));
    }
    // It does see them: commands that use threads were among those.
    assert!(seen.iter().any(|name| name.starts_with("clone")), "threads are seen: {seen:?}");
}

#[test]
fn what_only_scans_gives_up_what_it_does_not_need() {
    let modules = fs::read_to_string("/sys/kernel/security/lsm").unwrap_or_default();
    if !strace::works() || !modules.contains("landlock") {
        eprintln!("SKIPPED: strace is not there or may not trace, or the kernel has no Landlock");
        return;
    }
    let sandbox = Sandbox::new();
    repository(&sandbox);
    let trace = sandbox.path("trace");
    let trace = trace.to_str().expect("temporary paths are text");
    let wrapper = ["strace", "-f", "-qq", "-o", trace, "--trace=landlock_restrict_self,clone,clone3"];
    for command in
        COMMANDS.iter().filter(|command| !command.contains("--help") && !command.contains("--version"))
    {
        run(&sandbox, &wrapper, command);
        let trace = fs::read_to_string(trace).expect("strace writes it");
        let mut calls = trace.lines().filter(|line| !line.contains("+++"));
        // Before any other thread is there, which would keep what this one gives up.
        let first = calls.next().unwrap_or_default();
        assert!(first.contains("landlock_restrict_self(") && first.ends_with("= 0"), "{command}: {trace}");
    }
}

/// Older kernels do not know the calls, others were built or started without them.
#[test]
fn where_nothing_can_be_given_up_all_is_the_same() {
    if !strace::works() {
        eprintln!("SKIPPED: strace is not there or may not trace");
        return;
    }
    let sandbox = Sandbox::new();
    repository(&sandbox);
    for command in ["scan -f json", "scan --history -f human", "hook run pre-commit", "baseline create"] {
        let free = run(&sandbox, &["env"], command);
        for (call, error) in [
            ("landlock_create_ruleset", "ENOSYS"),
            ("landlock_create_ruleset", "EOPNOTSUPP"),
            ("landlock_add_rule", "EINVAL"),
            ("landlock_restrict_self", "EPERM"),
        ] {
            let (trace, fault) = (format!("--trace={call}"), format!("--inject={call}:error={error}"));
            let wrapper = ["strace", "-f", "-qq", "-o", "/dev/null", &trace, &fault];
            assert_same(&format!("{call} gives {error}"), command, &run(&sandbox, &wrapper, command), &free);
        }
    }
}

/// The name of a traced call.
fn name(call: &str) -> &str {
    let call = call.split_once(' ').map_or(call, |(_, call)| call.trim_start());
    call.split(['(', ' ']).next().unwrap_or_default()
}

/// Whether a line only says that something ends or goes on.
fn is_end(line: &str) -> bool {
    ["+++ exited", "exit(", "exit_group(", "???(", " resumed>"].iter().any(|end| line.contains(end))
        || name(line) == "wait4"
}

/// Whether a call only makes a thread of the process that there is.
fn is_own_thread(call: &str) -> bool {
    name(call).starts_with("clone") && (call.contains("CLONE_THREAD") || call.contains("<unfinished"))
}

#[test]
fn where_a_thread_cannot_be_started_the_others_do_the_work() {
    if !strace::works() {
        eprintln!("SKIPPED: strace is not there or may not trace");
        return;
    }
    let sandbox = Sandbox::new();
    repository(&sandbox);
    let uses_threads = |command: &str| {
        ["scan", "ci", "hook run", "baseline create"].iter().any(|its| command.starts_with(its))
    };
    for command in COMMANDS.iter().filter(|command| uses_threads(command)) {
        assert_same_with_few_threads(&sandbox, command);
    }
}

#[test]
fn an_index_that_threads_share_is_read_without_them() {
    if !strace::works() {
        eprintln!("SKIPPED: strace is not there or may not trace");
        return;
    }
    let sandbox = Sandbox::new();
    let repository = repository(&sandbox);
    repository.git(&["commit", "-q", "--no-verify", "-m", "All"]);
    enlarge_index(&repository);
    repository.git(&["commit", "-q", "--no-verify", "-m", "Much"]);
    repository.stage("three.env", &support::leaking_env());
    assert_same_with_few_threads(&sandbox, "scan --staged -f json");
}

/// Runs a command that may start no thread, one, two and so on.
fn assert_same_with_few_threads(sandbox: &Sandbox, command: &str) {
    let free = run(sandbox, &["env"], command);
    let code = i32::from(!command.starts_with("baseline"));
    assert_eq!(free.code, Some(code), "{command}: it finds something: {}{}", free.stdout, free.stderr);
    for first in [1, 2, 3, 5] {
        let fault = format!("--inject=clone,clone3:error=EAGAIN:when={first}+");
        let wrapper = ["strace", "-f", "-qq", "-o", "/dev/null", "--trace=clone,clone3", &fault];
        assert_same(
            &format!("no thread from number {first} on"),
            command,
            &run(sandbox, &wrapper, command),
            &free,
        );
    }
}

#[test]
fn under_a_limit_of_processes_one_thread_does_all() {
    // The limit does not hold for root, so it is somebody else then.
    let limit = ["prlimit", "--nproc=1"];
    let nobody = ["setpriv", "--reuid=64123", "--regid=64123", "--clear-groups"];
    let is_root = fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    let wrapper: Vec<&str> = if is_root { [&nobody[..], &limit].concat() } else { limit.to_vec() };
    let starts = |program: &[&str]| can_run(&[&wrapper[..], program].concat());
    // A shell that cannot fork shows that the limit holds.
    if !starts(&[]) || starts(&["sh", "-c", "true & wait $!", "sh"]) {
        eprintln!("SKIPPED: the number of processes cannot be limited here");
        return;
    }
    let sandbox = Sandbox::new();
    repository(&sandbox);
    let open = Command::new("chmod").args(["-R", "a+rwX"]).arg(sandbox.path("")).status();
    assert!(open.expect("chmod can be started").success());
    for command in COMMANDS.iter().filter(|command| command.starts_with("scan") && !command.contains("-o ")) {
        let (program, rest) = (wrapper.clone(), *command);
        let limited = run(&sandbox, &program, rest);
        assert!(!limited.stderr.contains("itself failed"), "{command}: {}", limited.stderr);
        assert_eq!(limited.code, Some(1), "{command}: it finds something: {}", limited.stderr);
        let free: Vec<&str> = if is_root { nobody.to_vec() } else { vec!["env"] };
        assert_same("under a limit", command, &limited, &run(&sandbox, &free, rest));
        assert!(!words_of(&limited).contains(&secret_value()), "{command} prints a value");
    }
}

fn words_of(came: &Came) -> String {
    format!("{}{}", came.stdout, came.stderr)
}
