//! How many threads the system lets a scan have.
//!
//! Must not know: what they are for.
//! Invariant: what is answered could be started, all at once, a moment ago.
//!
//! Containers limit the number of threads. A parallel walk that got some of its threads and then fails to start the
//! next one would wait for it forever, so the walk asks here first.

use std::num::NonZeroUsize;
use std::sync::mpsc;
use std::thread;

/// As many of `wanted` threads as can be started; 0 wanted means one for each core.
///
/// # Errors
/// When not even one can be started.
pub(super) fn granted(wanted: usize) -> std::io::Result<NonZeroUsize> {
    let cores = || thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let wanted = if wanted == 0 { cores() } else { wanted };
    let mut waiting = Vec::with_capacity(wanted);
    let mut refused = None;
    for _ in 0..wanted {
        let (release, released) = mpsc::channel::<()>();
        let started = thread::Builder::new().spawn(move || {
            // Ends when the other side is dropped.
            let _ = released.recv();
        });
        match started {
            Ok(handle) => waiting.push((release, handle)),
            Err(error) => {
                refused = Some(error);
                break;
            }
        }
    }
    let granted = waiting.len();
    for (release, handle) in waiting {
        drop(release);
        // It does nothing that could panic.
        let _ = handle.join();
    }
    NonZeroUsize::new(granted).ok_or_else(|| refused.unwrap_or_else(|| std::io::ErrorKind::Other.into()))
}

#[cfg(test)]
mod tests {
    use super::granted;

    #[test]
    fn what_is_wanted_is_granted_where_nothing_limits_it() {
        for wanted in [1, 2, 5] {
            assert_eq!(granted(wanted).expect("threads can be started here").get(), wanted);
        }
        assert!(granted(0).is_ok());
    }
}
