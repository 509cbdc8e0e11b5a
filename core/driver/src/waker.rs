//! How other threads get the attention of a driver.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Wakes a driver from another thread or task: its `next` returns [`Turn::Woken`](crate::Turn::Woken). [`blocking`](crate::blocking) has an example.
#[derive(Clone)]
pub struct Waker {
    /// Ends the waiting of the driver, for whatever reason.
    interrupt: Arc<dyn Fn() + Send + Sync>,
    is_asked: Arc<AtomicBool>,
}

impl Waker {
    pub(crate) fn new(interrupt: impl Fn() + Send + Sync + 'static) -> Self {
        Self { interrupt: Arc::new(interrupt), is_asked: Arc::default() }
    }

    /// Several calls before the driver looks are one.
    pub fn wake(&self) {
        if !self.is_asked.swap(true, Ordering::AcqRel) {
            (self.interrupt)();
        }
    }

    /// Ends the waiting alone.
    pub(crate) fn interrupt(&self) {
        (self.interrupt)();
    }

    /// Whether [`wake`](Self::wake) was called since the last time.
    pub(crate) fn is_asked(&self) -> bool {
        self.is_asked.swap(false, Ordering::AcqRel)
    }
}

impl fmt::Debug for Waker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Waker")
    }
}
