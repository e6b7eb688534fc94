//! How many threads the system lets a scan have, and what is done where it lets it have none.
//!
//! Must not know: what they are for.
//! Invariant: nothing here fails; where no thread can be started, the one that asks does the work alone.
//!
//! Containers and users have limits of processes and threads. A parallel walk that got some of its threads and then
//! fails to start the next one would wait for it forever, and a pool without its threads ends the program.

use std::cell::Cell;
use std::io;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, PoisonError, mpsc};
use std::thread;

thread_local! {
    static ATTEMPTS: Cell<bool> = const { Cell::new(false) };
}

/// Runs what starts threads and panics where it cannot; nothing is to be said of such a panic.
pub(super) fn attempt<R>(work: impl FnOnce() -> R) -> thread::Result<R> {
    let before = ATTEMPTS.replace(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    ATTEMPTS.set(before);
    result
}

/// Whether a panic of this thread only means that a thread could not be started, or repeats what another one said.
#[cfg(feature = "cli")]
pub(crate) fn is_attempt() -> bool {
    ATTEMPTS.get()
}

/// Holds up threads until all of them are there, or until one is known to be lost.
#[derive(Debug)]
pub(super) struct Gate {
    expected: usize,
    seen: Mutex<Seen>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Seen {
    arrived: usize,
    is_one_lost: bool,
}

impl Gate {
    pub(super) fn new(expected: usize) -> Self {
        Self { expected, seen: Mutex::default(), changed: Condvar::new() }
    }

    /// Waits for the others; whether all came.
    pub(super) fn pass(&self) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.arrived += 1;
        self.changed.notify_all();
        while seen.arrived < self.expected && !seen.is_one_lost {
            seen = self.changed.wait(seen).unwrap_or_else(PoisonError::into_inner);
        }
        !seen.is_one_lost
    }

    /// One of them will never come.
    pub(super) fn lose(&self) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.is_one_lost |= seen.arrived < self.expected;
        self.changed.notify_all();
    }

    pub(super) fn is_one_lost(&self) -> bool {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).is_one_lost
    }
}

/// `wanted` threads; 0 means one for each core.
pub(super) fn wanted(threads: usize) -> usize {
    if threads == 0 { thread::available_parallelism().map_or(1, NonZeroUsize::get) } else { threads }
}

/// As many of `threads` (0: one for each core) as can most likely be started; at least 1, which is the own one.
///
/// Twice as many are tried, all at once: the system may count a thread for a moment after it has ended, and other
/// programs start threads, too.
pub(super) fn granted(threads: usize) -> usize {
    (startable(wanted(threads).saturating_mul(2)) / 2).max(1)
}

/// Whether one more thread can most likely be started.
#[cfg(feature = "cli")]
pub(crate) fn can_start() -> bool {
    startable(2) == 2
}

/// How many of `wanted` threads can be started at the same time.
fn startable(wanted: usize) -> usize {
    let mut waiting = Vec::new();
    while waiting.len() < wanted {
        let Ok(started) = waiter() else { break };
        waiting.push(started);
    }
    let startable = waiting.len();
    for (release, handle) in waiting {
        drop(release);
        // It does nothing that could panic.
        let _ = handle.join();
    }
    startable
}

/// A thread that ends when its sender is dropped.
fn waiter() -> io::Result<(mpsc::Sender<()>, thread::JoinHandle<()>)> {
    let (release, released) = mpsc::channel::<()>();
    let handle = thread::Builder::new().spawn(move || {
        let _ = released.recv();
    })?;
    Ok((release, handle))
}

#[cfg(feature = "git")]
pub(crate) use pool::prepare;

#[cfg(feature = "git")]
mod pool {
    //! The pool that shares out lists.

    use std::sync::OnceLock;

    use rayon::ThreadPoolBuilder;

    /// Makes sure that the lists which this thread shares out from now on are worked off: by the pool of all threads, of
    /// `wanted` threads (0: one for each core) if none is there yet; where they cannot all be started, by this thread
    /// and, if it is the first to ask, by as many as there can be.
    pub(crate) fn prepare(wanted: usize) {
        static EXISTS: OnceLock<bool> = OnceLock::new();
        if rayon::current_thread_index().is_some() {
            return;
        }
        let mut threads = 1;
        let exists = EXISTS.get_or_init(|| {
            let exists = wanted != 1 && exists(wanted);
            if !exists && wanted != 1 {
                threads = super::granted(wanted);
            }
            exists
        });
        if !exists && !works_with(threads) {
            works_with(1);
        }
    }

    /// Makes the pool, unless it is there. Without all of its threads there is none, now and later.
    fn exists(wanted: usize) -> bool {
        match ThreadPoolBuilder::new().num_threads(wanted).build_global() {
            Ok(()) => true,
            // Somebody else has made one; a failure to start a thread has another source.
            Err(error) => std::error::Error::source(&error).is_none(),
        }
    }

    /// Makes this thread and others one pool until it ends; alone it always can.
    fn works_with(threads: usize) -> bool {
        let pool = ThreadPoolBuilder::new().num_threads(threads).use_current_thread().build();
        let is_made = pool.is_ok();
        // This thread belongs to it for ever, so it must not end before.
        std::mem::forget(pool);
        is_made
    }

    #[cfg(test)]
    mod tests {
        use rayon::prelude::*;

        #[test]
        fn one_thread_works_off_all_that_it_shares_out() {
            let threads = std::thread::spawn(|| {
                assert!(super::works_with(1));
                super::prepare(0);
                let numbers: Vec<u32> = (0..10_000).into_par_iter().map(|number| number * 2).collect();
                let (first, second) = rayon::join(|| numbers[1], || numbers[2]);
                (rayon::current_num_threads(), numbers.len(), first + second)
            });
            assert_eq!(threads.join().expect("it does not panic"), (1, 10_000, 6));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Gate, attempt, granted};

    #[test]
    fn what_is_wanted_is_granted_where_nothing_limits_it() {
        for wanted in [1, 2, 5] {
            assert_eq!(granted(wanted), wanted);
        }
        assert!(granted(0) >= 1);
    }

    #[test]
    fn a_gate_opens_for_all_or_for_none() {
        let passed = |expected: usize, coming: usize| -> Vec<bool> {
            let gate = Gate::new(expected);
            std::thread::scope(|scope| {
                let threads: Vec<_> = (0..coming).map(|_| scope.spawn(|| gate.pass())).collect();
                if coming < expected {
                    gate.lose();
                }
                threads.into_iter().map(|thread| thread.join().expect("it does not panic")).collect()
            })
        };
        assert_eq!(passed(3, 3), [true; 3]);
        assert_eq!(passed(3, 2), [false; 2]);
    }

    #[test]
    fn a_gate_that_is_open_stays_open() {
        let gate = Gate::new(1);
        assert!(gate.pass());
        gate.lose();
        assert!(!gate.is_one_lost());
    }

    #[test]
    fn an_attempt_ends_with_its_panic() {
        assert!(attempt(|| panic!("no thread")).is_err());
        assert!(!super::ATTEMPTS.get());
        assert_eq!(attempt(|| 1).expect("it does not panic"), 1);
    }
}
