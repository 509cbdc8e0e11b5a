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

#[cfg(test)]
#[cfg(feature = "dns")]
mod tests {
    use std::net::UdpSocket;

    use sansip::user_agent::{Profile, UserAgent};
    use sansip::{Config, Listener, Node, Output, Seed};

    use super::*;

    /// A question of a node.
    fn question() -> (QueryId, Question) {
        let profile = Profile::new("<sip:alice@192.0.2.1>".parse().unwrap());
        let mut node = UserAgent::user_agent(Config::new(Seed::from_u64(1)), profile);
        node.listen(Listener::udp("192.0.2.1:5060".parse().unwrap()));
        node.call(sansip::Instant::ZERO, &"<sip:bob@biloxi.com>".parse().unwrap()).unwrap();
        let questions = std::iter::from_fn(|| node.poll()).find_map(|output| match output {
            Output::Resolve { query, question } => Some((query, question)),
            _ => None,
        });
        questions.unwrap()
    }

    #[test]
    fn as_many_questions_are_open_as_may_be_and_one_that_is_answered_makes_room() {
        // It never answers.
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        let dns = Dns { servers: vec![server.local_addr().unwrap()] };
        let (report, answered) = std::sync::mpsc::channel();
        let mut asker =
            Asker::new(Resolver::Dns(dns), Arc::new(move |_, answers: Vec<Answer>| drop(report.send(answers))));
        let (query, question) = question();
        for _ in 0..OPEN {
            asker.ask(query, question.clone()).unwrap();
        }
        let refused = asker.ask(query, question.clone()).unwrap_err();
        assert_eq!(refused.to_string(), "256 questions are open");
        // All servers were asked twice, 2 s each, and that there is no answer is one, too.
        let answer = answered.recv_timeout(Duration::from_secs(30)).unwrap();
        assert!(answer.is_empty());
        asker.ask(query, question).unwrap();
    }
}
