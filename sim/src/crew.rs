//! Work on several threads, watched from this one. Worlds know nothing of it: each thread has its own.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;

/// The work done so far, for whoever watches, and how the work is told to stop.
#[derive(Debug, Default)]
pub struct Progress {
    done: AtomicU64,
    stop: AtomicBool,
}

impl Progress {
    /// Runs done.
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// From now on nothing is begun.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Whether it was told to stop.
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    pub(crate) fn count(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
    }
}

/// Does the work on so many threads and calls `watch` on this one, ten times a second, until all are done. Returns what each
/// thread did, in no order that means anything.
pub(crate) fn crew<R: Send>(jobs: usize, work: impl Fn() -> R + Sync, watch: &mut dyn FnMut()) -> Vec<R> {
    let working = AtomicUsize::new(jobs);
    let watcher = thread::current();
    let labour = || {
        let _working = Working(&working, &watcher);
        work()
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..jobs).map(|_| scope.spawn(labour)).collect();
        while working.load(Ordering::Acquire) > 0 {
            thread::park_timeout(std::time::Duration::from_millis(100));
            watch();
        }
        let joined = threads.into_iter().map(|thread| thread.join());
        joined.map(|done| done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}

/// A thread at work; the watcher is told when the last one is done, also if that is by a panic.
struct Working<'a>(&'a AtomicUsize, &'a thread::Thread);

impl Drop for Working<'_> {
    fn drop(&mut self) {
        if self.0.fetch_sub(1, Ordering::Release) == 1 {
            self.1.unpark();
        }
    }
}
