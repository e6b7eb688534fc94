//! The hook against git: after random sequences of what people do, what the hook judged is what git then committed.
//!
//! Every line that is written holds a token of its own, so that the findings name the lines that were judged. The hook
//! only writes down what it sees; the commit goes through, and git tells what is in it.
//! `KEYFENCE_MODEL_REPOSITORIES=1000` tries more than the usual number, `KEYFENCE_MODEL_SEED` a single one.

#![cfg(all(unix, feature = "cli"))]

#[path = "hook_model/actor.rs"]
mod actor;
mod common;
#[path = "common/dice.rs"]
mod dice;
#[path = "common/figures.rs"]
mod figures;
#[path = "hook_model/witness.rs"]
mod witness;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

use actor::Actor;

/// Repositories of an ordinary run.
const REPOSITORIES: u64 = 30;
/// What is done in each.
const STEPS: usize = 40;

/// Plays one repository through; gives how many commits were compared.
fn play(seed: u64) -> Result<u64, String> {
    let mut actor = Actor::new(seed);
    let played = catch_unwind(AssertUnwindSafe(|| (0..STEPS).for_each(|_| actor.step())));
    match played {
        Ok(()) => Ok(actor.compared),
        Err(panic) => {
            let words =
                panic.downcast::<String>().map_or_else(|_| String::from("it panicked"), |words| *words);
            Err(format!("seed {seed}: {words}\nafter:\n  {}", actor.log.join("\n  ")))
        }
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("it is a number"))
}

#[expect(clippy::print_stdout, reason = "what differs and the figure are for whoever runs the test")]
#[test]
fn what_the_hook_judged_is_what_git_committed() {
    let (first, last) = match number("KEYFENCE_MODEL_SEED") {
        Some(seed) => (seed, seed),
        None => (1, number("KEYFENCE_MODEL_REPOSITORIES").unwrap_or(REPOSITORIES)),
    };
    let (next, compared) = (AtomicU64::new(first), AtomicU64::new(0));
    let work = || {
        let mut wrong = Vec::new();
        while let Some(seed) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|&seed| seed <= last) {
            match play(seed) {
                Ok(commits) => drop(compared.fetch_add(commits, Ordering::Relaxed)),
                Err(words) => {
                    // At once: a long run may be ended before it is over.
                    println!("{words}");
                    wrong.push(words);
                }
            }
        }
        wrong
    };
    let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        handles.into_iter().flat_map(|handle| handle.join().expect("panics were caught")).collect()
    });
    let compared = compared.into_inner();
    assert!(wrong.is_empty(), "{} repositories differ:\n{}", wrong.len(), wrong.join("\n"));
    let repositories = last - first + 1;
    assert!(compared >= 4 * repositories, "only {compared} commits in {repositories} repositories");
    println!("{compared} commits in {repositories} repositories were compared");
    let figure =
        format!("{} in {} random repositories", figures::grouped(compared), figures::grouped(repositories));
    figures::record("commits that the hook judged as git made them", &figure);
}
