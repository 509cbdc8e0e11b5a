//! The way of octets from the driver to the task that writes them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sansip::Change;
use sansip::message::SharedBytes;
use tokio::sync::Notify;

use crate::backlog::Backlog;

/// Messages for a connection, also before it is open. A clone is the same queue.
#[derive(Clone, Default)]
pub(super) struct Queue(Arc<Shared>);

#[derive(Default)]
struct Shared {
    backlog: Mutex<Backlog>,
    is_closed: AtomicBool,
    changed: Notify,
}

impl Queue {
    fn backlog(&self) -> MutexGuard<'_, Backlog> {
        self.0.backlog.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nothing waits to be written.
    pub(super) fn is_empty(&self) -> bool {
        self.backlog().is_empty()
    }

    /// Puts that behind all before it; what there is to tell the node of it.
    pub(super) fn push(&self, bytes: SharedBytes) -> Option<Change<'static>> {
        let mut backlog = self.backlog();
        backlog.push(bytes);
        self.0.changed.notify_one();
        backlog.change()
    }

    /// Nothing more comes.
    pub(super) fn close(&self) {
        self.0.is_closed.store(true, Ordering::Release);
        self.0.changed.notify_one();
    }

    /// The messages at the front, which stay there until they are written; `None` when all are and nothing more comes.
    pub(super) async fn first(&self) -> Option<Vec<SharedBytes>> {
        loop {
            // Asked before: what was there at the close is written.
            let is_closed = self.0.is_closed.load(Ordering::Acquire);
            let first = self.backlog().first();
            if !first.is_empty() {
                return Some(first);
            }
            if is_closed {
                return None;
            }
            self.0.changed.notified().await;
        }
    }

    /// These messages are written; what there is to tell the node of it.
    pub(super) fn has_written(&self, messages: &[SharedBytes]) -> Option<Change<'static>> {
        let mut backlog = self.backlog();
        backlog.has_written(messages.iter().map(|message| message.len()).sum());
        backlog.change()
    }
}
