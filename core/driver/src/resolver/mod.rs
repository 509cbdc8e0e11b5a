//! The resolver of a driver (RFC 3263): questions of nodes in, answers out, by a bounded number of threads.

#[cfg(feature = "dns")]
mod dns;
mod system;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sansip::{Answer, Duration, QueryId, Question};

#[cfg(feature = "dns")]
pub use dns::Dns;

/// Questions that are open at once; the node hears of one more that it has no answer.
const OPEN: usize = 256;

/// How long a question may wait: no node wants its answer any more after 64·T1.
const WAIT: Duration = Duration::from_secs(32);

/// Where the answers go, from any thread.
pub(crate) type Report = Arc<dyn Fn(QueryId, Vec<Answer>) + Send + Sync>;

/// Who answers the questions of a node.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Resolver {
    /// The system's `getaddrinfo`: names in `/etc/hosts`, in DNS, or wherever the system looks. It knows addresses alone, so that
    /// no domain's NAPTR or SRV records are found.
    #[default]
    System,
    /// DNS with all that RFC 3263 asks for.
    #[cfg(feature = "dns")]
    Dns(Dns),
}

/// A resolver at work. It begins with the first question.
pub(crate) struct Asker {
    resolver: Resolver,
    report: Report,
    open: Arc<AtomicUsize>,
    worker: Option<Worker>,
}

enum Worker {
    System(system::Workers),
    #[cfg(feature = "dns")]
    Dns(dns::Worker),
}

/// A question on its way; that it is dropped, answered or not, makes room for another.
struct Asked {
    query: QueryId,
    question: Question,
    since: crate::Clock,
    open: Arc<AtomicUsize>,
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Asked {
    /// Nobody waits for the answer any more.
    fn is_late(&self) -> bool {
        self.since.now().since(sansip::Instant::ZERO) >= WAIT
    }
}

impl Asker {
    pub(crate) fn new(resolver: Resolver, report: Report) -> Self {
        Self { resolver, report, open: Arc::default(), worker: None }
    }

    /// Asks; the answer is reported later.
    ///
    /// # Errors
    /// It will not be: too many questions are open, or the system gives no thread.
    pub(crate) fn ask(&mut self, query: QueryId, question: Question) -> io::Result<()> {
        if self.open.fetch_add(1, Ordering::Relaxed) >= OPEN {
            self.open.fetch_sub(1, Ordering::Relaxed);
            return Err(io::Error::other(format!("{OPEN} questions are open")));
        }
        let asked = Asked { query, question, since: crate::Clock::new(), open: self.open.clone() };
        if self.worker.is_none() {
            let report = self.report.clone();
            self.worker = Some(match &self.resolver {
                Resolver::System => Worker::System(system::Workers::new(report)?),
                #[cfg(feature = "dns")]
                Resolver::Dns(dns) => Worker::Dns(dns::Worker::new(dns, report)?),
            });
        }
        match &self.worker {
            Some(Worker::System(workers)) => workers.ask(asked),
            #[cfg(feature = "dns")]
            Some(Worker::Dns(worker)) => worker.ask(asked),
            None => Ok(()),
        }
    }
}
