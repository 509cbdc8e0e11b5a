//! The system's resolver, which makes its caller wait: a few threads ask it.

use std::io;
use std::net::ToSocketAddrs;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use sansip::{Answer, Question};

use super::{Asked, Report};

/// Names being looked up at once.
const THREADS: usize = 4;

/// The threads; they end with the sender.
pub(super) struct Workers {
    questions: Sender<Asked>,
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

    pub(super) fn ask(&self, asked: Asked) -> io::Result<()> {
        self.questions.send(asked).map_err(|_| io::Error::other("the resolver has ended"))
    }
}

fn work(questions: &Mutex<Receiver<Asked>>, report: &Report) {
    loop {
        let Some(asked) = questions.lock().ok().and_then(|questions| questions.recv().ok()) else { return };
        let answers = match &asked.question {
            Question::Address { name } if !asked.is_late() => addresses(name),
            // No such records are known here.
            _ => Vec::new(),
        };
        let query = asked.query;
        drop(asked);
        report(query, answers);
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
