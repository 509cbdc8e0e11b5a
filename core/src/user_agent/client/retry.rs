//! Retries that a response asks for, as one pure table (RFC 3261 §8.1.3.4, §8.1.3.5, §10.2.8, §14.1, §22; RFC 3311 §5.3, RFC 4028 §7.3).

use alloc::vec::Vec;

use super::redirect::Step;
use crate::auth::Fields;
use crate::dialog::LEAST_SESSION_INTERVAL;
use crate::extension::{Extension, Extensions};
use crate::message::header::{CSeq, Expires, Header, MinExpires, MinSe, RetryAfter, SessionExpires, Unsupported};
use crate::message::{BuildError, HeaderId, Method, Request, Response, StatusCode};
use crate::random::Random;
use crate::time::Duration;
use crate::user_agent::compose::Body;
use crate::user_agent::policy::{Policy, Redirects};

/// The retries that were made before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tried {
    /// How often the request went out again.
    times: usize,
    /// A longer interval was asked for after a 423.
    interval: bool,
    /// An extension was left out after a 420.
    extension: bool,
    /// The owner wants nothing done again.
    pub(super) settled: bool,
}

impl Tried {
    /// Whether the request went out again as often as it may.
    pub(super) const fn is_spent(&self, limit: usize) -> bool {
        self.times >= limit
    }

    /// Notes that the request went out again with this change.
    pub(super) const fn note(&mut self, amendment: &Amendment) {
        self.times += 1;
        match amendment {
            Amendment::Interval(_) => self.interval = true,
            Amendment::Without(_) => self.extension = true,
            // Each 422 must ask for more than the one before, and several proxies may (RFC 4028 §13).
            Amendment::Session(_)
            | Amendment::None
            | Amendment::Credentials(_)
            | Amendment::Target(_)
            | Amendment::Body(_) => {}
        }
    }
}

/// The fate of a request after a final response.
#[derive(Clone, Debug)]
pub(super) enum Verdict {
    /// The response is the end.
    Over,
    /// The request is sent once more with this change.
    Again(Amendment),
    /// The request is sent once more, so much later.
    After(Duration),
    /// The keyring answers the challenges.
    Authenticate,
    /// Other targets are tried, one after the other.
    Redirect,
    /// The application is asked for another body or scheme.
    Ask,
    /// The request has met a change of the peer's: its owner makes the change anew, [so much later](after_glare), if it is still wanted.
    Collided,
}

/// A change of a request that is sent once more.
#[derive(Clone, Debug)]
pub(super) enum Amendment {
    /// Nothing but the next CSeq number.
    None,
    /// These credentials, in the place of all others (§22).
    Credentials(Fields),
    /// This Expires, in seconds (§10.2.8).
    Interval(u32),
    /// This Min-SE, in seconds, and a Session-Expires that is no less, if the request has one (RFC 4028 §7.4).
    Session(u32),
    /// Without the extensions that these tags name (§8.1.3.5).
    Without(Vec<Vec<u8>>),
    /// Another target (§8.1.3.4).
    Target(Step),
    /// Another body, or none, after a 413 or 415 (§8.1.3.5).
    Body(Option<Body>),
}

impl Amendment {
    /// The request with this change and the next CSeq number; Call-ID, From with its tag, and To stay (§8.1.3.5).
    ///
    /// # Errors
    /// The request cannot be written so, or its CSeq cannot be read.
    pub(super) fn applied_to(&self, request: &Request) -> Result<Request, BuildError> {
        let CSeq { number, method } = request.cseq().ok_or(BuildError::NoSuchValue)?;
        let edit = request.edit().replace(HeaderId::CSeq, written(&CSeq { number: number.saturating_add(1), method }));
        match self {
            Self::None => edit,
            Self::Credentials(fields) => fields.edit(edit),
            Self::Interval(seconds) => edit.replace(HeaderId::Expires, written(&Expires(*seconds))),
            Self::Session(seconds) => {
                let edit = edit.replace(HeaderId::MinSe, alloc::format!("{seconds}"));
                match request.headers().get::<SessionExpires<'_>>() {
                    Some(Ok(asked)) => {
                        let longer = SessionExpires { seconds: asked.seconds.max(*seconds), ..asked };
                        edit.replace(HeaderId::SessionExpires, written(&longer))
                    }
                    _ => edit,
                }
            }
            Self::Without(tags) => {
                [HeaderId::Require, HeaderId::ProxyRequire, HeaderId::Supported].into_iter().fold(edit, |edit, id| {
                    match left_of(request, id, tags) {
                        None => edit,
                        Some(left) if left.is_empty() => edit.remove(id),
                        Some(left) => edit.replace(id, left.join(&b", "[..])),
                    }
                })
            }
            Self::Target(step) => step.applied_to(edit),
            Self::Body(Some(body)) => edit.body(&body.content_type, &body.bytes),
            Self::Body(None) => edit.body("", b""),
        }
        .finish()
    }
}

fn written<'h, H: Header<'h>>(header: &H) -> Vec<u8> {
    let mut value = Vec::new();
    header.write(&mut value);
    value
}

/// Decides what becomes of `sent` after this final response, if no more than `limit` retries were made. Whether a request goes again is
/// asked of the policy where the RFC leaves it to the user. `was_overtaken`: a later request of ours went out in the dialog.
pub(super) fn next(
    sent: &Request,
    response: &Response,
    tried: &Tried,
    policy: &Policy,
    limit: usize,
    was_overtaken: bool,
) -> Verdict {
    if tried.settled || tried.is_spent(limit) {
        return Verdict::Over;
    }
    let is_outside = sent.to_tag().is_none();
    let may_ask_for_body = policy.questions.is_some() && !sent.body().is_empty();
    let again = |amendment: Option<Amendment>| amendment.map_or(Verdict::Over, Verdict::Again);
    match response.status() {
        StatusCode::UNAUTHORIZED | StatusCode::PROXY_AUTHENTICATION_REQUIRED => Verdict::Authenticate,
        // In a dialog a redirection is final: the dialog has its own way (§12.2.1.2).
        status if status.is_redirection() && is_outside && policy.redirects != Redirects::Off => Verdict::Redirect,
        StatusCode::UNSUPPORTED_MEDIA_TYPE if may_ask_for_body => Verdict::Ask,
        StatusCode::UNSUPPORTED_URI_SCHEME if policy.questions.is_some() && is_outside => Verdict::Ask,
        StatusCode::BAD_EXTENSION if !tried.extension => again(without_extensions(sent, response)),
        StatusCode::SESSION_INTERVAL_TOO_SMALL => again(longer_session(sent, response)),
        StatusCode::INTERVAL_TOO_BRIEF if may_be_brief(sent.method()) && !tried.interval => {
            again(longer_binding(sent, response))
        }
        // The later request came first, so that the number was out of order (§12.2.2). A Retry-After is about something else.
        StatusCode::SERVER_INTERNAL_ERROR
            if was_overtaken && must_arrive(sent.method()) && retry_after(response).is_none() =>
        {
            Verdict::Again(Amendment::None)
        }
        StatusCode::REQUEST_ENTITY_TOO_LARGE | StatusCode::SERVER_INTERNAL_ERROR | StatusCode::SERVICE_UNAVAILABLE => {
            match (retry_after(response), policy.longest_wait) {
                (Some(wait), Some(longest)) if wait <= longest => Verdict::After(wait),
                // A smaller body may do, or none; one that is too large for a time is told by Retry-After (§21.4.11).
                (None, _) if response.status() == StatusCode::REQUEST_ENTITY_TOO_LARGE && may_ask_for_body => {
                    Verdict::Ask
                }
                _ => Verdict::Over,
            }
        }
        StatusCode::REQUEST_PENDING if !is_outside && matches!(sent.method(), Method::Invite | Method::Update) => {
            Verdict::Collided
        }
        _ => Verdict::Over,
    }
}

/// Whether the two ends disagree from then on about what the dialog is used for if a request of this method is not taken: the end of the session, or
/// the state of a subscription. The application decides about all other requests.
const fn must_arrive(method: Method<'_>) -> bool {
    matches!(method, Method::Bye | Method::Notify | Method::Subscribe)
}

/// How long a change that has met one of the peer's waits (§14.1, RFC 3311 §5.3): longer at the end that owns the Call-ID, so that the
/// two do not meet again.
pub(in crate::user_agent) fn after_glare(owns_call_id: bool, random: &mut Random) -> Duration {
    let tens = if owns_call_id { 210 + random.below(191) } else { random.below(201) };
    Duration::from_millis(10 * tens)
}

/// 420: without the extensions that are not understood, if the request has any of these (§8.1.3.5).
fn without_extensions(sent: &Request, response: &Response) -> Option<Amendment> {
    let tags: Vec<Vec<u8>> =
        response.headers().all::<Unsupported<'_>>().flatten().map(|Unsupported(tag)| tag.as_bytes().to_vec()).collect();
    let helps = [HeaderId::Require, HeaderId::ProxyRequire].into_iter().any(|id| left_of(sent, id, &tags).is_some());
    helps.then_some(Amendment::Without(tags))
}

/// The option tags of a header that are not among these; `None` if none is taken away.
fn left_of(request: &Request, id: HeaderId, tags: &[Vec<u8>]) -> Option<Vec<Vec<u8>>> {
    let all: Vec<&[u8]> = request.headers().values(id, true).collect();
    let is_left = |tag: &&&[u8]| !tags.iter().any(|other| other.eq_ignore_ascii_case(tag));
    let left: Vec<Vec<u8>> = all.iter().filter(is_left).map(|tag| tag.to_vec()).collect();
    (left.len() < all.len()).then_some(left)
}

/// 422: as long as the server wants at least, if that is more than was asked for (RFC 4028 §7.3). Where a proxy has asked, our request
/// says no more than the least from then on.
fn longer_session(sent: &Request, response: &Response) -> Option<Amendment> {
    let least = response.headers().get::<MinSe<'_>>()?.ok()?.seconds;
    if !matches!(sent.method(), Method::Invite | Method::Update) {
        return None;
    }
    let headers = sent.headers();
    let asked = match (headers.get::<SessionExpires<'_>>(), headers.get::<MinSe<'_>>()) {
        (Some(asked), _) => asked.ok()?.seconds,
        (None, Some(asked)) => asked.ok()?.seconds,
        (None, None) => LEAST_SESSION_INTERVAL,
    };
    let is_ours = Extensions::supported(headers).contains(Extension::Timer);
    (is_ours && least > asked).then_some(Amendment::Session(least))
}

/// Whether requests of this method ask for an interval that may be too brief (§10.2.8, RFC 6665 §4.2.1.1).
const fn may_be_brief(method: Method<'_>) -> bool {
    matches!(method, Method::Register | Method::Subscribe)
}

/// 423: as long as the server wants at least, if that is more than was asked for (§10.2.8). A removal is never too brief (§10.2.2).
fn longer_binding(sent: &Request, response: &Response) -> Option<Amendment> {
    let MinExpires(least) = response.headers().get::<MinExpires>()?.ok()?;
    let is_longer = match sent.headers().get::<Expires>() {
        Some(asked) => asked.is_ok_and(|Expires(asked)| least > asked && asked > 0),
        // The server was to choose.
        None => true,
    };
    is_longer.then_some(Amendment::Interval(least))
}

/// How long Retry-After asks to wait (§20.33).
fn retry_after(response: &Response) -> Option<Duration> {
    let after = response.headers().get::<RetryAfter<'_>>()?.ok()?;
    Some(Duration::from_secs(after.seconds.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Limits, Message};
    use crate::random::{Script, Seed};
    use alloc::format;
    use alloc::string::{String, ToString};

    fn request(method: &str, to: &str, extra: &str) -> Request {
        let text = format!(
            "{method} sip:b@b.com SIP/2.0\r\nVia: SIP/2.0/UDP a.com;branch=z9hG4bKa\r\nFrom: <sip:a@a.com>;tag=1\r\n\
             To: <sip:b@b.com>{to}\r\nCall-ID: x\r\nCSeq: 7 {method}\r\n{extra}Content-Length: 1\r\n\r\nx"
        );
        match Message::parse(text.as_bytes(), &Limits::default()) {
            Ok(Message::Request(request)) => request,
            other => panic!("{other:?}"),
        }
    }

    fn response(status: u16, extra: &str) -> Response {
        let text = format!(
            "SIP/2.0 {status} X\r\nVia: SIP/2.0/UDP a.com;branch=z9hG4bKa\r\nFrom: <sip:a@a.com>;tag=1\r\n\
             To: <sip:b@b.com>;tag=2\r\nCall-ID: x\r\nCSeq: 7 INVITE\r\n{extra}Content-Length: 0\r\n\r\n"
        );
        match Message::parse(text.as_bytes(), &Limits::default()) {
            Ok(Message::Response(response)) => response,
            other => panic!("{other:?}"),
        }
    }

    fn verdict(sent: &Request, response: &Response, tried: &Tried, policy: &Policy) -> String {
        said(sent, next(sent, response, tried, policy, 3, false))
    }

    fn said(sent: &Request, verdict: Verdict) -> String {
        match verdict {
            Verdict::Over => "over".into(),
            Verdict::Again(amendment) => {
                let again = amendment.applied_to(sent).unwrap();
                assert_eq!(again.cseq().unwrap().number, 8);
                assert_eq!(again.call_id(), sent.call_id());
                for id in [HeaderId::From, HeaderId::To] {
                    assert_eq!(again.headers().raw(id), sent.headers().raw(id), "§8.1.3.5");
                }
                let value = |id| again.headers().raw(id).map(|value| value.escape_ascii().to_string());
                let ids = [
                    HeaderId::Expires,
                    HeaderId::SessionExpires,
                    HeaderId::MinSe,
                    HeaderId::Require,
                    HeaderId::Supported,
                ];
                let said: Vec<String> =
                    ids.into_iter().filter_map(|id| Some(format!("{}: {}", id.as_str(), value(id)?))).collect();
                format!("again {}", said.join(", "))
            }
            Verdict::After(wait) => format!("after {}", wait.as_secs()),
            Verdict::Authenticate => "authenticate".into(),
            Verdict::Redirect => "redirect".into(),
            Verdict::Ask => "ask".into(),
            Verdict::Collided => "collided".into(),
        }
    }

    const ALL: Policy = Policy {
        questions: Some(Duration::from_secs(1)),
        longest_wait: Some(Duration::from_secs(10)),
        redirects: Redirects::Follow,
        registering: None,
        subscribing: None,
        tells_moves: true,
    };

    /// Each row: the request, the response, and what becomes of it without and with every policy.
    #[test]
    fn every_row_of_the_table() {
        let invite = |extra: &str| request("INVITE", "", extra);
        let inside = request("INVITE", ";tag=2", "");
        let options = request("OPTIONS", "", "Expires: 5\r\n");
        let bare = options.edit().body("", b"").finish().unwrap();
        for (sent, status, extra, plain, all) in [
            (&invite(""), 401, "", "authenticate", "authenticate"),
            (&inside, 407, "", "authenticate", "authenticate"),
            (&invite(""), 302, "", "over", "redirect"),
            (&inside, 302, "", "over", "over"),
            (&invite(""), 415, "", "over", "ask"),
            (&invite(""), 416, "", "over", "ask"),
            (&inside, 416, "", "over", "over"),
            (
                &invite("Require: foo, bar\r\nSupported: foo\r\n"),
                420,
                "Unsupported: FOO\r\n",
                "again Require: bar",
                "again Require: bar",
            ),
            (&invite("Require: foo\r\n"), 420, "Unsupported: other\r\n", "over", "over"),
            (&invite("Supported: foo\r\n"), 420, "Unsupported: foo\r\n", "over", "over"),
            (
                &invite("Supported: timer\r\nSession-Expires: 90;refresher=uac\r\n"),
                422,
                "Min-SE: 1800\r\n",
                "again Session-Expires: 1800;refresher=uac, Min-SE: 1800, Supported: timer",
                "again Session-Expires: 1800;refresher=uac, Min-SE: 1800, Supported: timer",
            ),
            (
                &invite("Supported: timer\r\n"),
                422,
                "Min-SE: 1800\r\n",
                "again Min-SE: 1800, Supported: timer",
                "again Min-SE: 1800, Supported: timer",
            ),
            (&invite("Supported: timer\r\nSession-Expires: 1800\r\n"), 422, "Min-SE: 1800\r\n", "over", "over"),
            (&invite("Supported: timer\r\nMin-SE: 1800\r\n"), 422, "Min-SE: 1800\r\n", "over", "over"),
            (&invite("Supported: timer\r\n"), 422, "Min-SE: 90\r\n", "over", "over"),
            (&invite("Supported: timer\r\n"), 422, "", "over", "over"),
            (&request("BYE", ";tag=2", "Supported: timer\r\n"), 422, "Min-SE: 1800\r\n", "over", "over"),
            (&invite("Session-Expires: 90\r\n"), 422, "Min-SE: 1800\r\n", "over", "over"),
            (
                &request("REGISTER", "", "Expires: 5\r\n"),
                423,
                "Min-Expires: 60\r\n",
                "again Expires: 60",
                "again Expires: 60",
            ),
            (
                &request("SUBSCRIBE", ";tag=2", "Expires: 5\r\n"),
                423,
                "Min-Expires: 60\r\n",
                "again Expires: 60",
                "again Expires: 60",
            ),
            (&request("SUBSCRIBE", "", "Expires: 0\r\n"), 423, "Min-Expires: 60\r\n", "over", "over"),
            (&request("REGISTER", "", "Expires: 60\r\n"), 423, "Min-Expires: 60\r\n", "over", "over"),
            (&request("REGISTER", "", "Expires: 0\r\n"), 423, "Min-Expires: 60\r\n", "over", "over"),
            (&request("REGISTER", "", "Expires: 5\r\n"), 423, "", "over", "over"),
            // The registrar was to choose, and says the least that it takes.
            (&request("REGISTER", "", ""), 423, "Min-Expires: 60\r\n", "again Expires: 60", "again Expires: 60"),
            (&options, 423, "Min-Expires: 60\r\n", "over", "over"),
            (&options, 503, "Retry-After: 10\r\n", "over", "after 10"),
            (&options, 500, "Retry-After: 11\r\n", "over", "over"),
            (&options, 413, "Retry-After: 0\r\n", "over", "after 0"),
            (&options, 413, "", "over", "ask"),
            (&options, 413, "Retry-After: 11\r\n", "over", "over"),
            (&bare, 413, "", "over", "over"),
            (&options, 503, "", "over", "over"),
            (&inside, 491, "", "collided", "collided"),
            (&request("UPDATE", ";tag=2", ""), 491, "", "collided", "collided"),
            (&invite(""), 491, "", "over", "over"),
            (&request("PRACK", ";tag=2", ""), 491, "", "over", "over"),
            (&request("OPTIONS", ";tag=2", ""), 491, "", "over", "over"),
            (&options, 404, "Retry-After: 1\r\n", "over", "over"),
            (&options, 480, "Retry-After: 1\r\n", "over", "over"),
            (&options, 603, "Retry-After: 1\r\n", "over", "over"),
        ] {
            let response = response(status, extra);
            for (policy, expected) in [(Policy::NONE, plain), (ALL, all)] {
                assert_eq!(verdict(sent, &response, &Tried::default(), &policy), expected, "{status} {extra}");
                let settled = Tried { settled: true, ..Tried::default() };
                assert_eq!(verdict(sent, &response, &settled, &policy), "over");
                let spent = Tried { times: 3, ..Tried::default() };
                assert_eq!(verdict(sent, &response, &spent, &policy), "over");
            }
        }
    }

    /// §12.2.2: what a later request of ours has overtaken is refused with 500.
    #[test]
    fn a_request_that_was_overtaken_goes_out_again_if_it_must_arrive() {
        for (method, status, extra, expected) in [
            ("BYE", 500, "", "again "),
            ("NOTIFY", 500, "", "again "),
            ("SUBSCRIBE", 500, "", "again "),
            ("BYE", 500, "Retry-After: 5\r\n", "after 5"),
            ("BYE", 503, "", "over"),
            ("BYE", 481, "", "over"),
            ("INFO", 500, "", "over"),
            ("UPDATE", 500, "", "over"),
            ("INVITE", 500, "", "over"),
        ] {
            let sent = request(method, ";tag=2", "");
            let response = response(status, extra);
            let after = |tried: &Tried, overtaken| said(&sent, next(&sent, &response, tried, &ALL, 3, overtaken));
            assert_eq!(after(&Tried::default(), true), expected, "{method} {status} {extra}");
            assert_eq!(after(&Tried { settled: true, ..Tried::default() }, true), "over");
            assert_eq!(after(&Tried { times: 3, ..Tried::default() }, true), "over");
            if extra.is_empty() {
                assert_eq!(after(&Tried::default(), false), "over");
            }
        }
    }

    /// §14.1: 2.1 to 4 s for the owner of the Call-ID, 0 to 2 s for the other end, both in units of 10 ms.
    #[test]
    fn the_end_that_owns_the_call_id_waits_longer() {
        let mut random = Random::new(Seed::from_u64(1), Script::default());
        for (owns_call_id, shortest, longest) in [(true, 2_100, 4_000), (false, 0, 2_000)] {
            let waits: Vec<u128> = (0..5_000).map(|_| after_glare(owns_call_id, &mut random).as_millis()).collect();
            assert!(waits.iter().all(|wait| (shortest..=longest).contains(wait) && wait % 10 == 0));
            assert!(waits.contains(&shortest) && waits.contains(&longest));
        }
    }

    #[test]
    fn an_interval_is_lengthened_once_and_an_extension_left_out_once() {
        let mut tried = Tried::default();
        let register = request("REGISTER", "", "Expires: 5\r\n");
        tried.note(&Amendment::Interval(60));
        assert_eq!(verdict(&register, &response(423, "Min-Expires: 61\r\n"), &tried, &ALL), "over");
        // Another proxy may want still more (RFC 4028 §13, message 6).
        let invite = request("INVITE", "", "Supported: timer\r\nSession-Expires: 3600\r\nMin-SE: 3600\r\n");
        tried.note(&Amendment::Session(3_600));
        let longer = "again Session-Expires: 4000, Min-SE: 4000, Supported: timer";
        assert_eq!(verdict(&invite, &response(422, "Min-SE: 4000\r\n"), &tried, &ALL), longer);
        let invite = request("INVITE", "", "Require: foo\r\n");
        tried.note(&Amendment::Without(Vec::new()));
        assert_eq!(verdict(&invite, &response(420, "Unsupported: foo\r\n"), &tried, &ALL), "over");
    }
}
