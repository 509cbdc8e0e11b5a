//! The system's resolver, which makes its caller wait: a few threads ask it.

use std::io;
use std::net::ToSocketAddrs;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, Weak};
use std::thread;

use sansip::{Answer, Question};

use super::{Duty, Report};

/// Names being looked up at once.
const THREADS: usize = 4;

/// The threads; they end with the sender.
pub(super) struct Workers {
    questions: Sender<Weak<Question>>,
}

impl Workers {
    /// At least one thread.
    pub(super) fn new(report: Report) -> io::Result<Self> {
        let (questions, asked) = channel();
        let asked = Arc::new(Mutex::new(asked));
        let mut started = 0;
        for _ in 0..THREADS {
            let (asked, report) = (asked.clone(), report.clone());
            match thread::Builder::new().name("sansip-resolver".into()).spawn(move || work(&asked, &report)) {
                Ok(_) => started += 1,
                Err(error) if started == 0 => return Err(error),
                Err(_) => break,
            }
        }
        Ok(Self { questions })
    }

    pub(super) fn ask(&self, question: &Arc<Question>) -> io::Result<()> {
        self.questions.send(Arc::downgrade(question)).map_err(|_| io::Error::other("the resolver has ended"))
    }
}

fn work(questions: &Mutex<Receiver<Weak<Question>>>, report: &Report) {
    loop {
        let Some(asked) = questions.lock().ok().and_then(|questions| questions.recv().ok()) else { return };
        // Nobody waits for it any more.
        let Some(question) = asked.upgrade() else { continue };
        let duty = Duty { question, report: report.clone() };
        let answers = match &*duty.question {
            Question::Address { name } => addresses(name),
            // No such records are known here.
            _ => Vec::new(),
        };
        duty.fulfil(answers);
    }
}

fn addresses(name: &str) -> Vec<Answer> {
    // The system would read "127.1" as an address; RFC 3261 §25.1 knows no such name.
    if name.rsplit('.').next().is_none_or(|label| label.starts_with(|c: char| c.is_ascii_digit())) {
        return Vec::new();
    }
    let found = (name, 0).to_socket_addrs().ok();
    found.into_iter().flatten().map(|address| Answer::Address(address.ip())).collect()
}
