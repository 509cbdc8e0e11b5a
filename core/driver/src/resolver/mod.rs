//! The resolver of a driver (RFC 3263): questions of nodes in, answers out, by a bounded number of threads.

#[cfg(feature = "dns")]
mod dns;
mod system;

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::thread;

use sansip::{Answer, Asker, Node, QueryId, Question};

#[cfg(feature = "dns")]
pub use dns::Dns;

/// Questions that are asked at once; the node hears of one more that it has no answer.
const OPEN: usize = 256;

/// Those of one peer among them: names that nobody answers for do not take the room of all others.
const OPEN_OF_PEER: usize = 64;

/// Tells what became of a question, from any thread.
pub(crate) struct Found {
    pub(crate) question: Arc<Question>,
    /// None if whoever was asked has panicked.
    pub(crate) answers: Option<Vec<Answer>>,
}

/// Where that goes.
pub(crate) type Report = Arc<dyn Fn(Found) + Send + Sync>;

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

/// The questions of a node, each asked once at a time, and the resolver that is asked. The resolver begins with the first question.
pub(crate) struct Questions {
    resolver: Resolver,
    report: Report,
    worker: Option<Worker>,
    open: Vec<Open>,
}

/// A question that is asked.
struct Open {
    question: Arc<Question>,
    /// Who has asked first.
    asker: Asker,
    /// All that it is the answer to.
    waiting: VecDeque<QueryId>,
    /// Ends the search with this.
    _search: Search,
}

/// A resolver at work.
enum Worker {
    System(system::Workers),
    #[cfg(feature = "dns")]
    Dns(dns::Worker),
}

/// A search that ends when this is dropped.
enum Search {
    /// The threads hold the question by a weak reference, and look for nothing that is dropped.
    System,
    #[cfg(feature = "dns")]
    Dns { _task: dns::Task },
}

/// The duty to report an answer. A thread that panics before reports that.
struct Duty {
    question: Arc<Question>,
    report: Report,
}

impl Duty {
    fn fulfil(self, answers: Vec<Answer>) {
        (self.report)(Found { question: self.question.clone(), answers: Some(answers) });
    }
}

impl Drop for Duty {
    fn drop(&mut self) {
        if thread::panicking() {
            (self.report)(Found { question: self.question.clone(), answers: None });
        }
    }
}

impl Questions {
    pub(crate) fn new(resolver: Resolver, report: Report) -> Self {
        Self { resolver, report, worker: None, open: Vec::new() }
    }

    /// Asks; the answer is reported later, unless the node does not wait for it by then.
    ///
    /// # Errors
    /// It will not be: too many questions are open, or the system gives no thread.
    pub(crate) fn ask<N: Node>(&mut self, node: &N, query: QueryId, question: Question) -> io::Result<()> {
        let Some(asker) = node.asker(query) else { return Ok(()) };
        if let Some(open) = self.open.iter_mut().find(|open| *open.question == question) {
            open.waiting.push_back(query);
            return Ok(());
        }
        if self.has_room(asker).is_err() {
            self.forget_unwanted(node);
        }
        self.has_room(asker)?;
        let question = Arc::new(question);
        let search = self.search(&question)?;
        self.open.push(Open { question, asker, waiting: [query].into(), _search: search });
        Ok(())
    }

    fn has_room(&self, asker: Asker) -> io::Result<()> {
        if self.open.len() >= OPEN {
            return Err(io::Error::other(format!("{OPEN} questions are open")));
        }
        if let Asker::Peer(peer) = asker
            && self.open.iter().filter(|open| open.asker == asker).count() >= OPEN_OF_PEER
        {
            return Err(io::Error::other(format!("{OPEN_OF_PEER} questions of {peer} are open")));
        }
        Ok(())
    }

    fn search(&mut self, question: &Arc<Question>) -> io::Result<Search> {
        let worker = match &self.worker {
            Some(worker) => worker,
            None => {
                let report = self.report.clone();
                self.worker.insert(match &self.resolver {
                    Resolver::System => Worker::System(system::Workers::new(report)?),
                    #[cfg(feature = "dns")]
                    Resolver::Dns(dns) => Worker::Dns(dns::Worker::new(dns, report)?),
                })
            }
        };
        match worker {
            Worker::System(workers) => workers.ask(question).map(|()| Search::System),
            #[cfg(feature = "dns")]
            Worker::Dns(worker) => Ok(Search::Dns { _task: worker.ask(question) }),
        }
    }

    /// Has a thread panic after that time while the duty to answer is its own.
    #[cfg(test)]
    #[expect(clippy::disallowed_methods, reason = "the driver is to wait by then")]
    pub(crate) fn panic_of_a_thread(&self, after: sansip::Duration) {
        let question = Arc::new(Question::Address { name: "biloxi.example".into() });
        let duty = Duty { question, report: self.report.clone() };
        thread::spawn(move || {
            let _duty = duty;
            thread::sleep(after);
            panic!("as an answer would have it");
        });
    }

    /// Ends the searches that the node waits for no more.
    pub(crate) fn forget_unwanted<N: Node>(&mut self, node: &N) {
        self.open.retain_mut(|open| {
            while open.waiting.front().is_some_and(|query| node.asker(*query).is_none()) {
                open.waiting.pop_front();
            }
            !open.waiting.is_empty()
        });
    }

    /// A question is answered: all that the answer is for.
    pub(crate) fn answered(&mut self, question: &Question) -> VecDeque<QueryId> {
        let place = self.open.iter().position(|open| *open.question == *question);
        place.map(|place| self.open.swap_remove(place).waiting).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;
    use std::sync::mpsc::{Receiver, TryRecvError, channel};

    use sansip::user_agent::{Profile, UserAgent};
    use sansip::{CallId, Config, Duration, Input, Instant, Listener, Output, Seed};

    use super::*;

    fn report() -> (Report, Receiver<Found>) {
        let (report, reported) = channel();
        (Arc::new(move |found| drop(report.send(found))), reported)
    }

    fn alice() -> UserAgent {
        let profile = Profile::new("<sip:alice@192.0.2.1>".parse().unwrap());
        let mut node = UserAgent::user_agent(Config::new(Seed::from_u64(1)), profile);
        node.listen(Listener::udp("192.0.2.1:5060".parse().unwrap()).with_backups());
        node
    }

    /// Calls somebody at that host, and asks what follows from it.
    fn call(node: &mut UserAgent, questions: &mut Questions, host: &str) -> (CallId, io::Result<()>) {
        let call = node.call(Instant::ZERO, &format!("<sip:bob@{host}>").parse().unwrap()).unwrap();
        let (query, question) = std::iter::from_fn(|| node.poll())
            .find_map(|output| match output {
                Output::Resolve { query, question } => Some((query, question)),
                _ => None,
            })
            .unwrap();
        (call, questions.ask(node, query, question))
    }

    /// A name server that never answers, and the system's resolver.
    fn resolvers() -> (UdpSocket, Vec<Resolver>) {
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        server.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        #[cfg(feature = "dns")]
        let resolvers = vec![Resolver::System, Resolver::Dns(Dns { servers: vec![server.local_addr().unwrap()] })];
        #[cfg(not(feature = "dns"))]
        let resolvers = vec![Resolver::System];
        (server, resolvers)
    }

    #[test]
    fn as_many_questions_are_open_as_may_be_and_one_that_nobody_waits_for_makes_room() {
        let (_server, resolvers) = resolvers();
        for resolver in resolvers {
            let ((report, _reported), mut node) = (report(), alice());
            let mut questions = Questions::new(resolver, report);
            let calls: Vec<_> =
                (0..OPEN).map(|number| call(&mut node, &mut questions, &format!("n{number}.example"))).collect();
            assert!(calls.iter().all(|(_, asked)| asked.is_ok()));
            let (_, asked) = call(&mut node, &mut questions, "one-more.example");
            assert_eq!(asked.unwrap_err().to_string(), "256 questions are open");
            let (_, asked) = call(&mut node, &mut questions, "n1.example");
            asked.expect("that is asked already");
            node.hang_up(Instant::ZERO, calls[0].0).unwrap();
            let (_, asked) = call(&mut node, &mut questions, "one-more.example");
            asked.expect("nobody waits for the first");
        }
    }

    #[test]
    fn a_question_is_asked_once_and_its_answer_is_for_all_who_wait() {
        let (_server, resolvers) = resolvers();
        for resolver in resolvers {
            let ((report, reported), mut node) = (report(), alice());
            let mut questions = Questions::new(resolver, report);
            for _ in 0..3 {
                call(&mut node, &mut questions, "localhost").1.unwrap();
            }
            assert_eq!(questions.open.len(), 1);
            let Found { question, answers } = reported.recv_timeout(Duration::from_secs(30)).unwrap();
            assert!(answers.is_some());
            assert_eq!(questions.answered(&question).len(), 3);
            assert_eq!(questions.answered(&question).len(), 0);
            assert!(matches!(reported.try_recv(), Err(TryRecvError::Empty)));
        }
    }

    #[test]
    fn a_search_that_nobody_waits_for_ends() {
        let (server, resolvers) = resolvers();
        let Some(resolver) = resolvers.into_iter().nth(1) else { return };
        let ((report, reported), mut node) = (report(), alice());
        let mut questions = Questions::new(resolver, report);
        let (call, asked) = call(&mut node, &mut questions, "n.example");
        asked.unwrap();
        let mut buffer = [0; 512];
        server.recv(&mut buffer).expect("a question");
        questions.forget_unwanted(&node);
        assert_eq!(questions.open.len(), 1, "it is waited for");
        node.hang_up(Instant::ZERO, call).unwrap();
        questions.forget_unwanted(&node);
        assert!(questions.open.is_empty());
        // It would ask again after 2 s.
        server.set_read_timeout(Some(Duration::from_secs(4))).unwrap();
        assert!(server.recv(&mut buffer).is_err(), "it goes on");
        assert!(matches!(reported.try_recv(), Err(TryRecvError::Empty)));
    }

    #[test]
    fn no_peer_takes_the_room_of_the_others() {
        let (server, mut resolvers) = resolvers();
        let ((report, _reported), mut node) = (report(), alice());
        let mut questions = Questions::new(resolvers.pop().unwrap(), report);
        let listener = node.endpoint().listeners().next().unwrap().0;
        // Requests whose sender is at that name. A response that does not arrive goes there (RFC 3263 §5).
        let mut ask = |number: usize, peer: &str| {
            let remote = format!("{peer}:5060").parse().unwrap();
            let request = format!(
                "OPTIONS sip:alice@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP n{number}.example;branch=z9hG4bK{number}\r\n\
                 Max-Forwards: 70\r\nFrom: <sip:a@a.example>;tag=1\r\nTo: <sip:alice@192.0.2.1>\r\nCall-ID: {number}\r\n\
                 CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
            );
            node.handle(Instant::ZERO, Input::Datagram { listener, remote, bytes: request.as_bytes() });
            let Some(Output::Send(response)) = node.poll() else { panic!("no response") };
            node.handle(Instant::ZERO, Input::Unreachable { listener, remote, quoted: &response.bytes });
            let (query, question) = match node.poll() {
                Some(Output::Resolve { query, question }) => (query, question),
                other => panic!("no question to number {number}: {other:?}"),
            };
            questions.ask(&node, query, question)
        };
        for number in 0..OPEN_OF_PEER {
            ask(number, "192.0.2.66").unwrap();
        }
        let refused = ask(OPEN_OF_PEER, "192.0.2.66").unwrap_err();
        assert_eq!(refused.to_string(), "64 questions of 192.0.2.66 are open");
        ask(OPEN_OF_PEER + 1, "192.0.2.67").expect("there is room for another peer");
        drop(server);
    }

    #[test]
    fn a_panic_of_whoever_is_asked_is_reported() {
        let (report, reported) = report();
        Questions::new(Resolver::System, report).panic_of_a_thread(Duration::ZERO);
        assert!(reported.recv().unwrap().answers.is_none());
    }
}
