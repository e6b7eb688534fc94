//! Repositories as they are found damaged, one thing each: what was found before is found, or what could not be looked at
//! is told, and the exit code is never 0 where something was lost.

#![cfg(all(unix, feature = "cli"))]

#[path = "common/figures.rs"]
mod figures;
#[path = "cli/support.rs"]
mod support;

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use support::{Repository, Sandbox, leaking_env, secret_value, words};

/// What has to come of a scan of the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comes {
    /// The leak is found, and nothing is missing.
    Found,
    /// It is found, or what is missing is told.
    FoundOrTold,
    /// What is missing is told, in these words among others.
    Told(&'static str),
    /// There is nothing to find and nothing missing.
    Clean,
}
use Comes::{Clean, Found, FoundOrTold, Told};

/// What is done to a repository whose past holds a leak, and what comes of it. Gives the repository to scan.
type Row = (&'static str, Comes, fn(&Repository<'_>) -> PathBuf);

const ROWS: &[Row] = &[
    ("intact", Found, |r| packed(r).top.clone()),
    ("a multi-pack-index with a wrong byte", FoundOrTold, |r| {
        packed(r).git(&["multi-pack-index", "write"]);
        flip(&r.top.join(".git/objects/pack/multi-pack-index"), 40);
        r.top.clone()
    }),
    ("a blob is missing", Told("is not stored"), |r| {
        fs::remove_file(loose(r, "HEAD~1:old.env")).expect("it is loose");
        r.top.clone()
    }),
    ("a blob is cut off", Told("damaged"), |r| {
        let file = writable(loose(r, "HEAD~1:old.env"));
        let bytes = fs::read(&file).expect("it is loose");
        fs::write(&file, &bytes[..bytes.len() / 2]).expect("it is writable");
        r.top.clone()
    }),
    ("a blob is empty", Told("damaged"), |r| {
        fs::write(writable(loose(r, "HEAD~1:old.env")), "").expect("it is writable");
        r.top.clone()
    }),
    ("a blob with a wrong bit", FoundOrTold, |r| {
        flip(&loose(r, "HEAD~1:old.env"), 20);
        r.top.clone()
    }),
    ("a tree is missing", Told("is not stored"), |r| {
        fs::remove_file(loose(r, "HEAD~1^{tree}")).expect("it is loose");
        r.top.clone()
    }),
    ("a commit is missing", Told("is not stored"), |r| {
        fs::remove_file(loose(r, "HEAD~1")).expect("it is loose");
        r.top.clone()
    }),
    ("the pack is deleted", Told(""), |r| {
        fs::remove_file(the(packed(r), "pack")).expect("it is there");
        r.top.clone()
    }),
    ("the index of the pack is deleted", FoundOrTold, |r| {
        fs::remove_file(the(packed(r), "idx")).expect("it is there");
        r.top.clone()
    }),
    ("a wrong bit in the fan-out of the index of the pack", FoundOrTold, |r| {
        flip(&the(packed(r), "idx"), 8 + 4 * 255);
        r.top.clone()
    }),
    ("a wrong bit in a name in the index of the pack", FoundOrTold, |r| {
        flip(&the(packed(r), "idx"), 8 + 1024 + 3);
        r.top.clone()
    }),
    ("a wrong bit in an entry of the pack", FoundOrTold, |r| {
        let pack = the(packed(r), "pack");
        let id = r.git(&["rev-parse", "HEAD~1:old.env"]);
        let index = the(r, "idx").display().to_string();
        let listing = r.git(&["verify-pack", "-v", &index]);
        let listing = String::from_utf8_lossy(&listing.stdout).into_owned();
        let id = String::from_utf8_lossy(&id.stdout).trim().to_owned();
        let line = listing.lines().find(|line| line.starts_with(&id)).expect("it is packed");
        let offset: u64 =
            line.split_whitespace().nth(4).and_then(|word| word.parse().ok()).expect("an offset");
        flip(&pack, offset + 20);
        r.top.clone()
    }),
    ("the pack is cut off", FoundOrTold, |r| {
        let pack = writable(the(packed(r), "pack"));
        let length = fs::metadata(&pack).expect("it is there").len();
        let file = OpenOptions::new().write(true).open(&pack).expect("it is writable");
        file.set_len(length - 60).expect("it is writable");
        r.top.clone()
    }),
    ("another pack with a broken index", Told(""), |r| {
        let before = beside(r);
        fs::write(writable(before.with_extension("idx")), "nonsense").expect("it is writable");
        r.top.clone()
    }),
    ("another pack is deleted", Told(""), |r| {
        fs::remove_file(beside(r)).expect("it is there");
        r.top.clone()
    }),
    ("alternates that are not there", Told("no/such/place"), |r| {
        r.write(".git/objects/info/alternates", "/no/such/place/objects\n");
        fs::remove_file(loose(r, "HEAD~1:old.env")).expect("it is loose");
        r.top.clone()
    }),
    ("a reference of garbage", FoundOrTold, |r| {
        r.write(".git/refs/heads/garbage", "no object at all\n");
        r.top.clone()
    }),
    ("a reference to what is missing", FoundOrTold, |r| {
        r.write(".git/refs/heads/missing", &format!("{}\n", "1".repeat(40)));
        r.top.clone()
    }),
    ("packed references of garbage", FoundOrTold, |r| {
        r.git(&["pack-refs", "--all"]);
        r.write(".git/packed-refs", "# pack-refs with: peeled fully-peeled sorted\nnonsense\n\0\n");
        r.top.clone()
    }),
    ("a commit graph with a wrong byte", FoundOrTold, |r| {
        r.git(&["commit-graph", "write", "--reachable"]);
        flip(&r.top.join(".git/objects/info/commit-graph"), 1100);
        r.top.clone()
    }),
    ("HEAD is garbage", Told(""), |r| {
        r.write(".git/HEAD", "garbage\n");
        r.top.clone()
    }),
    ("an extension that nobody knows", Told("extension"), |r| {
        r.git(&["config", "core.repositoryFormatVersion", "1"]);
        r.git(&["config", "extensions.unheardOf", "true"]);
        r.top.clone()
    }),
    ("references in a table", Told("reftable"), |r| made(r, "table", "git init -q --ref-format=reftable")),
    ("names of another hash", Found, |r| made(r, "sha256", "git init -q --object-format=sha256")),
    ("a clone without a past", Told("--unshallow"), |r| clone(r, "--depth=1")),
    ("a clone without contents", Told("--refetch"), |r| clone(r, "--filter=blob:none --no-checkout")),
    ("a clone without directories", Told("--refetch"), |r| clone(r, "--filter=tree:0 --no-checkout")),
    ("a clone of one branch", Clean, |r| {
        // Nobody can see from here that there were others.
        shell(
            r,
            "git checkout -q --orphan clean; git rm -q -r -f --cached .; echo x > x; git add x; git commit -q -m x; \
             git clone -q --single-branch --branch clean \"file://$PWD\" ../one-branch",
        );
        r.sandbox.path("one-branch")
    }),
    ("nothing was committed", Clean, |r| {
        shell(r, "git init -q ../nothing");
        r.sandbox.path("nothing")
    }),
    ("no repository at all", Told("not in a git repository"), |r| {
        fs::create_dir(r.sandbox.path("none")).expect("the sandbox is writable");
        r.sandbox.path("none")
    }),
];

fn shell(repository: &Repository<'_>, script: &str) {
    let leak = repository.sandbox.path("leak");
    fs::write(&leak, leaking_env()).expect("the sandbox is writable");
    let mut command = repository.sandbox.command("/bin/sh", &repository.top);
    let output = command.env("leak", leak).args(["-ec", script]).output().expect("there is a shell");
    assert!(output.status.success(), "{script}: {}", words(&output));
}

/// Three commits, of which the second one leaks and the third one removes it again; everything is loose.
const PAST: &str = "git config gc.auto 0; echo 1 > a; git add a; git commit -q -m begin; cp $leak old.env; git add -f old.env; \
                    git commit -q -m leak; git rm -q old.env; git commit -q -m remove";

fn made(repository: &Repository<'_>, name: &str, init: &str) -> PathBuf {
    shell(repository, &format!("{init} ../{name}; cd ../{name}; {PAST}"));
    repository.sandbox.path(name)
}

fn clone(repository: &Repository<'_>, options: &str) -> PathBuf {
    shell(
        repository,
        &format!("git config uploadpack.allowFilter true; git clone -q {options} \"file://$PWD\" ../clone"),
    );
    repository.sandbox.path("clone")
}

fn packed<'a, 'b>(repository: &'a Repository<'b>) -> &'a Repository<'b> {
    repository.git(&["gc", "-q"]);
    repository
}

/// The one file of this kind among the packs.
fn the(repository: &Repository<'_>, extension: &str) -> PathBuf {
    let directory = fs::read_dir(repository.top.join(".git/objects/pack")).expect("it is there");
    let mut files = directory.flatten().map(|entry| entry.path());
    files.find(|file| file.extension().is_some_and(|its| its == extension)).expect("there is a pack")
}

/// A pack beside the first one, which holds what another commit brought.
fn beside(repository: &Repository<'_>) -> PathBuf {
    let first = the(packed(repository), "pack");
    repository.stage("more.env", &leaking_env().replace("f8OYXGw5bmzxh5vo", "Vj74b4TLa1WmMkUz"));
    repository.git(&["commit", "-q", "--no-verify", "-m", "more"]);
    repository.git(&["repack", "-q", "-d"]);
    let directory = fs::read_dir(repository.top.join(".git/objects/pack")).expect("it is there");
    let mut packs = directory.flatten().map(|entry| entry.path());
    packs
        .find(|file| *file != first && file.extension().is_some_and(|its| its == "pack"))
        .expect("there are two")
}

/// The file of a loose object.
fn loose(repository: &Repository<'_>, name: &str) -> PathBuf {
    let id = repository.git(&["rev-parse", name]);
    let id = String::from_utf8_lossy(&id.stdout).trim().to_owned();
    repository.top.join(format!(".git/objects/{}/{}", &id[..2], &id[2..]))
}

/// git writes its objects read-only.
fn writable(file: PathBuf) -> PathBuf {
    let bytes = fs::read(&file).expect("it is there");
    fs::remove_file(&file).expect("it can be removed");
    fs::write(&file, bytes).expect("it can be written");
    file
}

fn flip(file: &Path, at: u64) {
    let file = writable(file.to_owned());
    let file = OpenOptions::new().read(true).write(true).open(file).expect("it is writable");
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).expect("it is long enough");
    file.write_all_at(&[byte[0] ^ 0x10], at).expect("it is writable");
}

fn try_row((name, comes, damage): &Row) -> Result<(), String> {
    let sandbox = Sandbox::new();
    let repository = sandbox.repository("damaged");
    shell(&repository, PAST);
    let top = damage(&repository);
    let mut command = sandbox.command(support::KEYFENCE, &top);
    let output = command.args(["scan", "--history", "--no-cache"]).output().expect("it starts");
    let told = words(&output);
    let code = output.status.code();
    let found = told.contains("old.env") && code == Some(1);
    let is_told = code == Some(3) || (code == Some(1) && told.contains("INCOMPLETE as well"));
    let is_right = match comes {
        Found => found && !is_told,
        FoundOrTold => found || is_told,
        Told(words) => is_told && told.contains(words),
        Clean => code == Some(0),
    };
    if is_right && !told.contains(&secret_value()) && !told.contains("itself failed") {
        return Ok(());
    }
    Err(format!("{name}: {comes:?} was to come, but {code:?}: {told}"))
}

#[test]
fn no_damage_is_silent() {
    let wrong: Vec<String> = ROWS.iter().filter_map(|row| try_row(row).err()).collect();
    assert!(wrong.is_empty(), "{} of {} went wrong:\n{}", wrong.len(), ROWS.len(), wrong.join("\n"));
    figures::record("damaged repositories", &format!("{0} of {0} told or found", ROWS.len()));
}
