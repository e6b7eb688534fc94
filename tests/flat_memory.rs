//! A process that scans one repository after another holds no more of anything at the end: memory, open files, threads.
//!
//! `benches/load.py` does it 10,000 times; here it is done often enough to see what grows with each.

#![cfg(all(target_os = "linux", feature = "git"))]

mod common;
#[path = "history/makers.rs"]
mod makers;
#[path = "../examples/many_repositories.rs"]
mod many_repositories;

use std::path::Path;

use common::Repository;
use keyfence::detect::Detector;
use many_repositories::held;

/// Rounds until all is warm, and as many again.
const ROUNDS: usize = 60;
/// What memory may grow by in the second half, in kilobytes: a little more than the allocator's own unrest.
const UNREST: usize = 3 << 10;

fn look(top: &Path, detector: &Detector) {
    for seen in many_repositories::look(top, detector).expect("the repository is whole") {
        assert_eq!(seen.problems, 0, "{:?} reads everything", seen.mode);
        assert!(seen.findings > 0, "{:?} finds something", seen.mode);
    }
}

#[test]
fn nothing_grows_from_repository_to_repository() {
    let repository = Repository::new();
    for number in 0..3 {
        repository.write("code.py", format!("x = {number}\n").repeat(300));
        repository.write(format!("{number}.env"), makers::pair(number));
        repository.commit_all("more");
    }
    repository.git(&["gc", "-q"]);
    repository.write("new.env", makers::pair(7));
    repository.git(&["add", "-A"]);
    let detector = Detector::builtin();
    (0..ROUNDS).for_each(|_| look(repository.path(), &detector));
    let warm = held();
    assert!(warm.memory > 0 && warm.files > 0 && warm.threads > 0, "Linux tells: {warm:?}");
    (0..ROUNDS).for_each(|_| look(repository.path(), &detector));
    let last = held();
    let is_flat =
        last.memory <= warm.memory + UNREST && last.files == warm.files && last.threads <= warm.threads;
    assert!(is_flat, "{warm:?}, then {last:?}");
}
