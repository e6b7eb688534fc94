//! A bar on standard error for work that takes long, where a person is looking.
//!
//! Must not know: what is scanned. Invariant: counting costs two relaxed additions; only an own thread draws.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::scan::Progress;
use indicatif::{HumanBytes, HumanCount, HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Work shorter than this shows nothing.
const PATIENCE: Duration = Duration::from_millis(500);
/// How often the bar is drawn.
const BEAT: Duration = Duration::from_millis(100);

/// What has been scanned so far.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    files: AtomicU64,
    bytes: AtomicU64,
    expected: AtomicU64,
    findings: AtomicU64,
}

impl Progress for Counts {
    fn advance(&self, files: u64, bytes: u64) {
        self.files.fetch_add(files, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    fn expect(&self, files: u64) {
        self.expected.fetch_add(files, Ordering::Relaxed);
    }

    fn found(&self, findings: u64) {
        self.findings.fetch_add(findings, Ordering::Relaxed);
    }
}

impl Counts {
    /// What is shown after `elapsed`; how long it will still take only where the whole is known.
    fn words(&self, elapsed: Duration) -> String {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let (files, expected, findings) = (read(&self.files), read(&self.expected), read(&self.findings));
        let bytes = HumanBytes(read(&self.bytes));
        let found = match findings {
            0 => String::new(),
            1 => ", 1 finding".to_owned(),
            some => format!(", {} findings", HumanCount(some)),
        };
        if expected == 0 {
            return format!("scanning: {} files, {bytes}{found}", HumanCount(files));
        }
        let left = match files {
            0 => String::new(),
            _ => {
                let rest = expected.saturating_sub(files) as f64 / files as f64;
                format!(", {} left", HumanDuration(elapsed.mul_f64(rest)))
            }
        };
        format!("scanning: {} of {} objects, {bytes}{found}{left}", HumanCount(files), HumanCount(expected))
    }
}

/// The bar; it goes away when this is dropped.
#[derive(Debug)]
pub(crate) struct Bar {
    counts: Arc<Counts>,
    drawing: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Bar {
    /// A bar that is only drawn if `wanted` and if standard error is a terminal.
    pub(crate) fn start(wanted: bool) -> Self {
        let counts = Arc::new(Counts::default());
        let drawing = (wanted && std::io::stderr().is_terminal()).then(|| Self::drawing(&counts)).flatten();
        Self { counts, drawing }
    }

    /// The thread that draws, unless it cannot be started.
    fn drawing(counts: &Arc<Counts>) -> Option<(Sender<()>, JoinHandle<()>)> {
        let (stop, stopped) = mpsc::channel();
        let counts = Arc::clone(counts);
        let thread = std::thread::Builder::new().spawn(move || draw(&counts, &stopped)).ok()?;
        Some((stop, thread))
    }

    /// Where the work is counted.
    pub(crate) fn counts(&self) -> Arc<Counts> {
        Arc::clone(&self.counts)
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.drawing.take() {
            drop(stop);
            let _ = thread.join();
        }
    }
}

fn draw(counts: &Counts, stopped: &mpsc::Receiver<()>) {
    let begun = Instant::now();
    if stopped.recv_timeout(PATIENCE) != Err(RecvTimeoutError::Timeout) {
        return;
    }
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    bar.set_style(
        ProgressStyle::with_template("{spinner} {msg} {elapsed}").expect("the template is constant"),
    );
    loop {
        bar.set_message(counts.words(begun.elapsed()));
        bar.tick();
        if stopped.recv_timeout(BEAT) != Err(RecvTimeoutError::Timeout) {
            bar.finish_and_clear();
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Counts;
    use crate::scan::Progress;

    #[test]
    fn what_is_known_is_told() {
        let counts = Counts::default();
        counts.advance(1200, 3 << 20);
        assert_eq!(counts.words(Duration::from_secs(1)), "scanning: 1,200 files, 3.00 MiB");
        counts.expect(4800);
        counts.found(1);
        let words = "scanning: 1,200 of 4,800 objects, 3.00 MiB, 1 finding, 6 seconds left";
        assert_eq!(counts.words(Duration::from_secs(2)), words);
    }
}
