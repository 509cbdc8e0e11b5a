//! Typed headers: each borrows from the message it was read from.

#[macro_use]
mod macros;

mod accept;
mod address;
mod auth;
mod call_id;
mod call_info;
mod contact;
mod content;
mod content_type;
mod cseq;
mod date;
mod digest;
mod display;
mod event;
mod history;
mod identity;
mod language;
mod list;
mod numbers;
mod path;
mod privacy;
mod product;
mod quality;
mod reason;
mod refer;
mod reliability;
mod replaces;
mod retry_after;
mod session_timer;
mod text;
mod timestamp;
mod tokens;
mod via;
mod warning;

pub use accept::{Accept, AcceptEncoding, AcceptLanguage};
pub(crate) use address::NameAddrText;
pub use address::{From, NameAddr, NameAddrBuf, RecordRoute, ReplyTo, Route, To};
pub(crate) use auth::realm_of;
pub use auth::{
    AuthParameter, AuthParameters, AuthenticationInfo, Authorization, Challenge, Credentials, ProxyAuthenticate,
    ProxyAuthorization, WwwAuthenticate,
};
pub use call_id::{CallId, InReplyTo};
pub use call_info::{AlertInfo, CallInfo, ErrorInfo};
pub use contact::Contact;
pub use content::{ContentDisposition, ContentEncoding, MimeVersion};
pub use content_type::ContentType;
pub use cseq::CSeq;
pub use date::Date;
pub use digest::{DigestChallenge, DigestCredentials, DigestInfo};
pub use event::{AllowEvents, Event, SubscriptionState};
pub use history::HistoryInfo;
pub use identity::{PAssertedIdentity, PPreferredIdentity};
pub use language::ContentLanguage;
pub use numbers::{ContentLength, Expires, FlowTimer, MaxBreadth, MaxForwards, MinExpires};
pub use path::{Path, ServiceRoute};
pub use privacy::Privacy;
pub use product::{Product, Server, UserAgent};
pub use reason::Reason;
pub use refer::{ReferTo, ReferredBy};
pub use reliability::{RAck, RSeq};
pub use replaces::Replaces;
pub use retry_after::RetryAfter;
pub use session_timer::{MinSe, Refresher, SessionExpires};
pub use text::{Organization, Subject};
pub use timestamp::Timestamp;
pub use tokens::{Allow, Priority, ProxyRequire, Require, Supported, Unsupported};
pub use via::{Protocol, Via};
pub use warning::Warning;

use super::error::{ParseError, ParseErrorKind};
use super::name::HeaderId;
use super::parameters::Parameters;
use super::text::{Cursor, decimal, token, trim, unfolded_whole};
use super::uri::UserPart;
use alloc::vec::Vec;
use core::fmt;

/// A header whose values can be read and written.
pub trait Header<'a>: Sized {
    /// Which header.
    const ID: HeaderId;
    /// Whether several values may stand in one field, split by commas (RFC 3261 §7.3.1).
    const LIST: bool;
    /// Reads one value, without the commas around it.
    ///
    /// # Errors
    /// The value is malformed.
    fn parse(value: &'a [u8]) -> Result<Self, ParseError>;
    /// Reads one value whose URIs have such a user part; headers without a URI of their own read it as [`parse`](Self::parse).
    ///
    /// # Errors
    /// The value is malformed.
    fn parse_with(value: &'a [u8], user_part: UserPart) -> Result<Self, ParseError> {
        let _ = user_part;
        Self::parse(value)
    }
    /// Writes one value, without name and line end.
    fn write(&self, out: &mut Vec<u8>);
}

/// Appends formatted text.
pub(super) fn write_text(out: &mut Vec<u8>, text: fmt::Arguments<'_>) {
    struct Text<'v>(&'v mut Vec<u8>);
    impl fmt::Write for Text<'_> {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0.extend_from_slice(text.as_bytes());
            Ok(())
        }
    }
    // A vector takes all that it is given.
    let _ = fmt::write(&mut Text(out), text);
}

/// Appends a number.
pub(super) fn write_number(out: &mut Vec<u8>, number: u32) {
    out.extend_from_slice(decimal(number as usize).as_bytes());
}

/// Appends text that was read, each fold in it as one space. Text with a control octet where none may stand is appended as it
/// is: what is built with it is refused.
pub(super) fn write_unfolded(out: &mut Vec<u8>, text: &[u8]) {
    match unfolded_whole(text) {
        Ok(text) => out.extend_from_slice(&text),
        Err(_) => out.extend_from_slice(text),
    }
}

/// Appends those parameters that have none of these names.
fn write_others(out: &mut Vec<u8>, parameters: Parameters<'_>, names: &[&str]) {
    for parameter in parameters.iter() {
        if names.iter().any(|name| parameter.name.eq_ignore_ascii_case(name)) {
            continue;
        }
        out.push(b';');
        out.extend_from_slice(parameter.name.as_bytes());
        if let Some(value) = parameter.value {
            out.push(b'=');
            write_unfolded(out, value);
        }
    }
}

/// A value that is one token.
fn whole_token(value: &[u8]) -> Result<&str, ParseError> {
    token(trim(value)).ok_or(ParseError::new(ParseErrorKind::Token, 0))
}

/// A value that is one token and parameters.
fn token_and_parameters(value: &[u8]) -> Result<(&str, Parameters<'_>), ParseError> {
    let mut cursor = Cursor::new(value);
    cursor.lws();
    let token = cursor.token()?;
    Ok((token, parameters(&mut cursor)?))
}

/// The parameters up to the end of the value.
fn parameters<'a>(cursor: &mut Cursor<'a>) -> Result<Parameters<'a>, ParseError> {
    let before = cursor.offset();
    let text = cursor.rest();
    cursor.take(text.len());
    Parameters::parse(text).map_err(|error| error.moved(before))
}

/// The values that each header is tested with.
#[cfg(test)]
mod testing {
    use super::Header;
    use alloc::format;
    use alloc::string::{String, ToString};
    use alloc::vec::Vec;
    use core::fmt;

    /// Reads a value, writes it, reads that again: what was read is the same. Returns what is written.
    pub(super) fn round_trip<H: Header<'static> + fmt::Debug + fmt::Display>(text: &'static str) -> String {
        let read = |text: &'static [u8]| {
            H::parse(text).unwrap_or_else(|error| panic!("{}: {}", text.escape_ascii(), error.within(H::ID)))
        };
        let written = |header: &H| {
            let mut out = Vec::new();
            header.write(&mut out);
            out
        };
        let first = read(text.as_bytes());
        let out: &'static [u8] = written(&first).leak();
        let second = read(out);
        assert_eq!(written(&second).escape_ascii().to_string(), out.escape_ascii().to_string(), "{text}");
        assert_eq!(first.to_string(), String::from_utf8_lossy(out), "{text}: Display");
        // Fields that have a name of their own are written first, but with the words that were read.
        let words = |header: &H| {
            let text = format!("{header:?}").replace("\\r\\n", " ");
            let mut words: Vec<_> = text.split(|letter: char| !letter.is_alphanumeric()).map(String::from).collect();
            words.retain(|word| !word.is_empty());
            words.sort();
            words
        };
        assert_eq!(words(&first), words(&second), "{text}: Debug");
        String::from_utf8_lossy(out).into_owned()
    }

    /// Asserts that each of these is refused, with an offset inside of it.
    pub(super) fn refused<H: Header<'static> + fmt::Debug>(values: &[&'static str]) {
        for value in values {
            match H::parse(value.as_bytes()) {
                Ok(header) => panic!("{}: {value:?} was read as {header:?}", H::ID.as_str()),
                Err(error) => assert!(error.offset() as usize <= value.len(), "{value}: {error}"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::method::Method;
    use alloc::string::ToString;

    /// A value that each header accepts, and some more for those with rare forms.
    macro_rules! each_header {
        ($with:ident) => {
            $with::<Accept<'_>>(&["text/html;level=1;q=0.5"]);
            $with::<AcceptEncoding<'_>>(&["gzip;q=0.5"]);
            $with::<AcceptLanguage<'_>>(&["en-gb;q=0.8"]);
            $with::<AlertInfo<'_>>(&["<http://www.example.com/sounds/moo.wav>;a=b"]);
            $with::<Allow<'_>>(&["INVITE"]);
            $with::<AllowEvents<'_>>(&["presence.winfo"]);
            $with::<AuthenticationInfo<'_>>(&["nextnonce=\"a\", qop=auth, rspauth=\"b\", nc=000000ff, x=y"]);
            $with::<Authorization<'_>>(&[
                "Digest username=\"b\", realm=\"r\", nonce=\"n\", uri=\"sip:a\", response=\"0\", nc=00000001, qop=auth",
                "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
            ]);
            $with::<CSeq<'_>>(&["4711 INVITE"]);
            $with::<CallId<'_>>(&["a84b4c76e66710@pc33"]);
            $with::<CallInfo<'_>>(&["<http://a/b>;purpose=icon"]);
            $with::<Contact<'_>>(&["\"Mr. Watson\" <sip:watson@bell.com;x>;q=0.7;expires=3600", "*", "tel:+1-2;a"]);
            $with::<ContentDisposition<'_>>(&["session;handling=optional"]);
            $with::<ContentEncoding<'_>>(&["gzip"]);
            $with::<ContentLanguage<'_>>(&["en-gb"]);
            $with::<ContentLength>(&["349"]);
            $with::<ContentType<'_>>(&["multipart/mixed;boundary=\"a b\""]);
            $with::<Date>(&["Sat, 13 Nov 2010 23:29:00 GMT"]);
            $with::<ErrorInfo<'_>>(&["<sip:not-in-service-recording@atlanta.com>"]);
            $with::<Event<'_>>(&["refer;id=93842"]);
            $with::<Expires>(&["3600"]);
            $with::<FlowTimer>(&["120"]);
            $with::<From<'_>>(&["The Operator <sip:operator@cs.columbia.edu>;tag=287447"]);
            $with::<HistoryInfo<'_>>(&["<sip:bob@example.com?Reason=SIP%3Bcause%3D302>;index=1.1"]);
            $with::<InReplyTo<'_>>(&["70710@saturn, 17320@saturn"]);
            $with::<MaxBreadth>(&["60"]);
            $with::<MaxForwards>(&["70"]);
            $with::<MimeVersion>(&["1.0"]);
            $with::<MinExpires>(&["60"]);
            $with::<MinSe<'_>>(&["90;a=b"]);
            $with::<Organization<'_>>(&["Boxes by Bob"]);
            $with::<PAssertedIdentity<'_>>(&["\"Cullen Jennings\" <sip:fluffy@cisco.com>", "tel:+14085264000"]);
            $with::<PPreferredIdentity<'_>>(&["sip:fluffy@cisco.com"]);
            $with::<Path<'_>>(&["<sip:p3.example.com;lr>"]);
            $with::<Priority<'_>>(&["emergency"]);
            $with::<Privacy<'_>>(&["header;id"]);
            $with::<ProxyAuthenticate<'_>>(&["New a=b, c=\"d\""]);
            $with::<ProxyAuthorization<'_>>(&["New a=b, c=\"d\""]);
            $with::<ProxyRequire<'_>>(&["foo"]);
            $with::<RAck<'_>>(&["776656 1 INVITE"]);
            $with::<RSeq>(&["988789"]);
            $with::<Reason<'_>>(&["SIP;cause=200;text=\"Call \\\"completed\\\"\""]);
            $with::<RecordRoute<'_>>(&["<sip:server10.biloxi.com;lr>;a"]);
            $with::<ReferTo<'_>>(&["<sip:dave@denver.example.org?Replaces=12345%40192.168.118.3%3Bto-tag%3D12345>"]);
            $with::<ReferredBy<'_>>(&["<sip:r@ref.example>;cid=\"2UWQFN309shb3@ref.example\""]);
            $with::<Replaces<'_>>(&["12adf2f34456gs5;to-tag=12345;from-tag=54321;early-only;a=b"]);
            $with::<ReplyTo<'_>>(&["Bob <sip:bob@biloxi.com>"]);
            $with::<Require<'_>>(&["100rel"]);
            $with::<RetryAfter<'_>>(&["120 (I'm (in) a meeting);duration=3600"]);
            $with::<Route<'_>>(&["<sip:server10.biloxi.com;lr>"]);
            $with::<Server<'_>>(&["HomeServer/2 v2 (x \\) (y))"]);
            $with::<ServiceRoute<'_>>(&["<sip:hsp.home.example.com;lr>"]);
            $with::<SessionExpires<'_>>(&["4000;refresher=uac;a"]);
            $with::<Subject<'_>>(&["Gr\u{fc}\u{df}e"]);
            $with::<SubscriptionState<'_>>(&["terminated;reason=probation;retry-after=30"]);
            $with::<Supported<'_>>(&["100rel"]);
            $with::<Timestamp<'_>>(&["54.25 0.5"]);
            $with::<To<'_>>(&["sip:+12125551212@server.phone2net.com;tag=887s"]);
            $with::<Unsupported<'_>>(&["foo"]);
            $with::<UserAgent<'_>>(&["Softphone Beta1.5"]);
            $with::<Via<'_>>(&["SIP/2.0/UDP [2001:db8::1]:5060;branch=z9hG4bK87asdks7;received=192.0.2.1;rport"]);
            $with::<Warning<'_>>(&["307 isi.edu \"Session parameter \\\"foo\\\"\""]);
            $with::<WwwAuthenticate<'_>>(&["Digest realm=\"a\", nonce=\"b\", qop=\"auth\", stale=true, algorithm=MD5"]);
        };
    }

    /// The value with a few octets changed, put in, taken out or doubled; reproducible.
    fn damaged(text: &str, mut seed: u64) -> &'static [u8] {
        const ODD: &[u8] = b"\"\\()<>[]{},;:=/?@&%+*.- \t\r\n\0\x7f\xc3\xff0a";
        let mut below = |end: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as usize % end.max(1)
        };
        let mut out = text.as_bytes().to_vec();
        for _ in 0..=below(3) {
            let at = below(out.len());
            let odd = ODD[below(ODD.len())];
            match below(4) {
                0 if !out.is_empty() => out[at] = odd,
                1 => out.insert(at, odd),
                2 if !out.is_empty() => drop(out.remove(at)),
                _ => out.extend_from_within(at..),
            }
        }
        out.leak()
    }

    #[test]
    fn whatever_is_read_is_written_so_that_it_reads_the_same() {
        fn check<H: Header<'static> + fmt::Debug + fmt::Display>(samples: &[&'static str]) {
            for sample in samples {
                testing::round_trip::<H>(sample);
                for seed in 0..400 {
                    let text = damaged(sample, seed);
                    let Ok(first) = H::parse(text) else { continue };
                    let mut out = Vec::new();
                    first.write(&mut out);
                    let out: &'static [u8] = out.leak();
                    let second = H::parse(out).unwrap_or_else(|error| {
                        panic!("{}: {} -> {}: {error}", H::ID.as_str(), text.escape_ascii(), out.escape_ascii())
                    });
                    assert_eq!(first.to_string(), second.to_string(), "{}", text.escape_ascii());
                }
            }
        }
        each_header!(check);
    }

    #[test]
    fn every_typed_header_has_its_samples_and_every_known_one_its_type() {
        use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
        static TRIED: [AtomicU64; 2] = [const { AtomicU64::new(0) }; 2];
        fn note<H: Header<'static>>(_: &[&'static str]) {
            TRIED[H::ID as usize / 64].fetch_or(1 << (H::ID as usize % 64), Relaxed);
        }
        each_header!(note);
        macro_rules! ids {
            ($($header:ident $(<$life:lifetime>)?),* $(,)?) => { [$(<$header>::ID),*] };
        }
        let typed = crate::typed_headers!(ids);
        let raw = [HeaderId::AcceptContact, HeaderId::Identity, HeaderId::RejectContact, HeaderId::RequestDisposition];
        for id in HeaderId::ALL {
            let is_tried = TRIED[*id as usize / 64].load(Relaxed) >> (*id as usize % 64) & 1 == 1;
            assert_eq!((typed.contains(id), is_tried), (!raw.contains(id), !raw.contains(id)), "{id}");
        }
    }

    #[test]
    fn every_cut_value_is_read_or_refused() {
        fn check<H: Header<'static> + fmt::Debug>(samples: &[&'static str]) {
            for sample in samples {
                for end in 0..sample.len() {
                    let cut = &sample.as_bytes()[..end];
                    if let Err(error) = H::parse(cut) {
                        assert!(error.offset() as usize <= end, "{}: {error}", cut.escape_ascii());
                    }
                }
            }
        }
        each_header!(check);
    }

    #[test]
    fn folds_are_written_as_one_space_and_other_line_ends_are_not_hidden() {
        let unfolded = |text: &str| {
            let mut out = Vec::new();
            write_unfolded(&mut out, text.as_bytes());
            alloc::string::String::from_utf8(out).unwrap()
        };
        assert_eq!(unfolded("a \r\n\t b\r\n c"), "a b c");
        assert_eq!(unfolded("a\r\nVia: b"), "a\r\nVia: b");
        assert_eq!(unfolded("a\n b"), "a\n b");
        assert_eq!(unfolded(""), "");
    }

    #[test]
    fn a_typed_value_cannot_inject_a_header() {
        let uri = crate::message::Uri::parse(b"sip:b@c").unwrap();
        let build = |subject| crate::message::Request::builder(Method::Message, uri).typed(&Subject(subject)).finish();
        assert!(build("a\r\nVia: b").is_err() && build("a\nVia: b").is_err());
        let built = build("a\r\n Via: b").unwrap();
        assert_eq!(built.headers().raw(HeaderId::Subject), Some(&b"a Via: b"[..]));
    }
}
