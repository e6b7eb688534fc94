//! A bar on standard error for work that takes long, where a person is looking.
//!
//! Must not know: what is scanned. Invariant: counting costs two relaxed additions; only an own thread draws.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::scan::Progress;
use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Work shorter than this shows nothing.
const PATIENCE: Duration = Duration::from_millis(500);
/// How often the bar is drawn.
const BEAT: Duration = Duration::from_millis(100);

/// What has been scanned so far.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    files: AtomicU64,
    bytes: AtomicU64,
}

impl Progress for Counts {
    fn advance(&self, files: u64, bytes: u64) {
        self.files.fetch_add(files, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}

impl Counts {
    fn words(&self) -> String {
        let (files, bytes) = (self.files.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed));
        format!("scanning: {} files, {}", HumanCount(files), HumanBytes(bytes))
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
        let drawing = (wanted && std::io::stderr().is_terminal()).then(|| {
            let (stop, stopped) = mpsc::channel();
            let counts = Arc::clone(&counts);
            (stop, std::thread::spawn(move || draw(&counts, &stopped)))
        });
        Self { counts, drawing }
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
    if stopped.recv_timeout(PATIENCE) != Err(RecvTimeoutError::Timeout) {
        return;
    }
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    bar.set_style(
        ProgressStyle::with_template("{spinner} {msg} {elapsed}").expect("the template is constant"),
    );
    loop {
        bar.set_message(counts.words());
        bar.tick();
        if stopped.recv_timeout(BEAT) != Err(RecvTimeoutError::Timeout) {
            bar.finish_and_clear();
            return;
        }
    }
}
