//! Request-Disposition (RFC 3841 §9.1): how the caller wants the request to be processed.

use crate::message::{HeaderId, Request};

/// The directives of a request's Request-Disposition. `None` where the caller leaves a choice to the server, or says both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Disposition {
    /// "redirect" is true, "proxy" false.
    pub redirect: Option<bool>,
    /// "cancel" or "no-cancel": whether the other branches are cancelled after a 2xx.
    pub cancel: Option<bool>,
    /// "fork" or "no-fork": whether more than one target is tried.
    pub fork: Option<bool>,
    /// "recurse" or "no-recurse": whether the contacts of a 3xx are tried.
    pub recurse: Option<bool>,
    /// "parallel" is true, "sequential" false.
    pub parallel: Option<bool>,
    /// "queue" or "no-queue": whether the call waits for a callee who is busy.
    pub queue: Option<bool>,
}

impl Disposition {
    /// Reads the directives of a request. Words that are none are passed over.
    pub fn of(request: &Request) -> Self {
        let mut read = Self::default();
        let mut said_both = [false; 6];
        for word in request.headers().values(HeaderId::RequestDisposition, true) {
            let word = word.trim_ascii();
            let is = |text: &str| word.eq_ignore_ascii_case(text.as_bytes());
            let places = [
                (&mut read.redirect, "redirect", "proxy"),
                (&mut read.cancel, "cancel", "no-cancel"),
                (&mut read.fork, "fork", "no-fork"),
                (&mut read.recurse, "recurse", "no-recurse"),
                (&mut read.parallel, "parallel", "sequential"),
                (&mut read.queue, "queue", "no-queue"),
            ];
            for ((place, yes, no), both) in places.into_iter().zip(&mut said_both) {
                let directive = if is(yes) {
                    true
                } else if is(no) {
                    false
                } else {
                    continue;
                };
                *both |= place.is_some_and(|before| before != directive);
                *place = (!*both).then_some(directive);
            }
        }
        read
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Message;

    fn of(lines: &str) -> Disposition {
        let text = alloc::format!("OPTIONS sip:bob@biloxi.com SIP/2.0\r\n{lines}\r\n");
        match Message::parse(text.as_bytes(), &Default::default()).unwrap() {
            Message::Request(request) => Disposition::of(&request),
            Message::Response(_) => panic!("a request"),
        }
    }

    #[test]
    fn each_directive_is_read_by_its_type() {
        assert_eq!(of(""), Disposition::default());
        // RFC 3841 §9.1, the example.
        let read = of("Request-Disposition: proxy, recurse, parallel\r\n");
        let wanted =
            Disposition { redirect: Some(false), recurse: Some(true), parallel: Some(true), ..Disposition::default() };
        assert_eq!(read, wanted);
        let read = of("d: NO-FORK,sequential\r\nRequest-Disposition: no-cancel, no-queue, unheard-of\r\n");
        let wanted = Disposition {
            fork: Some(false),
            parallel: Some(false),
            cancel: Some(false),
            queue: Some(false),
            ..Disposition::default()
        };
        assert_eq!(read, wanted);
    }

    #[test]
    fn two_directives_of_one_type_that_differ_say_nothing() {
        assert_eq!(of("d: fork, no-fork, fork\r\n"), Disposition::default());
        assert_eq!(of("d: fork, fork\r\n").fork, Some(true));
    }
}
