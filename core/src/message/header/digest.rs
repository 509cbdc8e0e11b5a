//! The parameters of Digest (RFC 3261 §22.4, RFC 7616, RFC 8760).

use super::auth::{AuthParameters, AuthWriter};
use crate::message::error::ParseError;
use crate::message::quoted::Quoted;
use alloc::vec::Vec;
use core::fmt;

/// The proof that a server asks of a client.
#[derive(Clone, Copy, Debug)]
pub struct DigestChallenge<'a> {
    /// The realm whose users and passwords count.
    pub realm: Quoted<'a>,
    /// The nonce.
    pub nonce: Quoted<'a>,
    /// URIs that share these credentials.
    pub domain: Option<Quoted<'a>>,
    /// To be given back as it is.
    pub opaque: Option<Quoted<'a>>,
    /// Whether only the nonce was too old.
    pub stale: bool,
    /// The algorithm, such as `MD5` or `SHA-256`; absent means MD5. Compare without case.
    pub algorithm: Option<&'a str>,
    /// The qualities of protection to choose from, commas between them; see [`offers`](Self::offers).
    pub qop: Option<Quoted<'a>>,
    /// The character set for user and password: `UTF-8`.
    pub charset: Option<&'a str>,
    /// Whether the user name may be hashed.
    pub userhash: bool,
    /// All parameters. When it is written, the fields count, and of these only the others.
    pub parameters: AuthParameters<'a>,
}

impl<'a> DigestChallenge<'a> {
    const NAMES: [&'static str; 9] =
        ["realm", "nonce", "domain", "opaque", "stale", "algorithm", "qop", "charset", "userhash"];

    pub(super) fn read(parameters: AuthParameters<'a>) -> Result<Self, ParseError> {
        Ok(Self {
            realm: parameters.quoted("realm")?.ok_or(parameters.missing())?,
            nonce: parameters.quoted("nonce")?.ok_or(parameters.missing())?,
            domain: parameters.quoted("domain")?,
            opaque: parameters.quoted("opaque")?,
            stale: parameters.flag("stale")?,
            algorithm: parameters.token("algorithm")?,
            qop: parameters.quoted_or_token("qop")?,
            charset: parameters.token("charset")?,
            userhash: parameters.flag("userhash")?,
            parameters,
        })
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let mut writer = AuthWriter { out, before: "" };
        writer.out.extend_from_slice(b"Digest ");
        writer.quoted("realm", Some(self.realm));
        writer.quoted("domain", self.domain);
        writer.quoted("qop", self.qop);
        writer.quoted("nonce", Some(self.nonce));
        writer.quoted("opaque", self.opaque);
        writer.flag("stale", self.stale);
        writer.token("algorithm", self.algorithm);
        writer.token("charset", self.charset);
        writer.flag("userhash", self.userhash);
        writer.others(self.parameters, &Self::NAMES);
    }

    /// Whether this quality of protection, such as `auth`, is among those to choose from; without case.
    pub fn offers(&self, qop: &str) -> bool {
        let text = self.qop.map(Quoted::to_text).unwrap_or_default();
        text.split(|&octet| octet == b',').any(|one| one.trim_ascii().eq_ignore_ascii_case(qop.as_bytes()))
    }
}

/// The proof that a client gives. `Debug` does not show `response`.
#[derive(Clone, Copy)]
pub struct DigestCredentials<'a> {
    /// The user name, in clear or hashed. Absent just if [`username_extended`](Self::username_extended) stands there.
    pub username: Option<Quoted<'a>>,
    /// `username*`: the user name in the notation of RFC 5987, as written.
    pub username_extended: Option<&'a str>,
    /// The realm of the challenge.
    pub realm: Quoted<'a>,
    /// The nonce of the challenge.
    pub nonce: Quoted<'a>,
    /// The Request-URI as the client saw it. RFC 3261 §22.4 demands it, though its own sample in §20.7 lacks it.
    pub uri: Option<Quoted<'a>>,
    /// The proof, in hexadecimal digits.
    pub response: Quoted<'a>,
    /// The algorithm of the challenge.
    pub algorithm: Option<&'a str>,
    /// The client's nonce.
    pub cnonce: Option<Quoted<'a>>,
    /// The `opaque` of the challenge.
    pub opaque: Option<Quoted<'a>>,
    /// The quality of protection chosen; compare without case.
    pub qop: Option<&'a str>,
    /// `nc`: how often the nonce was used.
    pub nonce_count: Option<u32>,
    /// Whether the user name is hashed.
    pub userhash: bool,
    /// All parameters. When it is written, the fields count, and of these only the others.
    pub parameters: AuthParameters<'a>,
}

impl<'a> DigestCredentials<'a> {
    const NAMES: [&'static str; 12] = [
        "username",
        "username*",
        "realm",
        "nonce",
        "uri",
        "response",
        "algorithm",
        "cnonce",
        "opaque",
        "qop",
        "nc",
        "userhash",
    ];

    pub(super) fn read(parameters: AuthParameters<'a>) -> Result<Self, ParseError> {
        let username = parameters.quoted("username")?;
        let username_extended = parameters.token("username*")?;
        if username.is_some() == username_extended.is_some() {
            return Err(parameters.missing());
        }
        Ok(Self {
            username,
            username_extended,
            realm: parameters.quoted("realm")?.ok_or(parameters.missing())?,
            nonce: parameters.quoted("nonce")?.ok_or(parameters.missing())?,
            uri: parameters.quoted("uri")?,
            response: parameters.quoted("response")?.ok_or(parameters.missing())?,
            algorithm: parameters.token("algorithm")?,
            cnonce: parameters.quoted("cnonce")?,
            opaque: parameters.quoted("opaque")?,
            qop: parameters.token("qop")?,
            nonce_count: parameters.hexadecimal("nc")?,
            userhash: parameters.flag("userhash")?,
            parameters,
        })
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let mut writer = AuthWriter { out, before: "" };
        writer.out.extend_from_slice(b"Digest ");
        writer.quoted("username", self.username);
        writer.token("username*", self.username_extended);
        writer.quoted("realm", Some(self.realm));
        writer.quoted("nonce", Some(self.nonce));
        writer.quoted("uri", self.uri);
        writer.quoted("response", Some(self.response));
        writer.token("algorithm", self.algorithm);
        writer.quoted("cnonce", self.cnonce);
        writer.quoted("opaque", self.opaque);
        writer.token("qop", self.qop);
        writer.hexadecimal("nc", self.nonce_count);
        writer.flag("userhash", self.userhash);
        writer.others(self.parameters, &Self::NAMES);
    }
}

impl fmt::Debug for DigestCredentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DigestCredentials")
            .field("username", &self.username)
            .field("username_extended", &self.username_extended)
            .field("realm", &self.realm)
            .field("nonce", &self.nonce)
            .field("uri", &self.uri)
            .field("response", &"…")
            .field("algorithm", &self.algorithm)
            .field("qop", &self.qop)
            .field("nonce_count", &self.nonce_count)
            .finish_non_exhaustive()
    }
}

/// The answer of a server once a client has proved itself. `Debug` does not show `rspauth`.
#[derive(Clone, Copy)]
pub struct DigestInfo<'a> {
    /// The nonce to use next.
    pub nextnonce: Option<Quoted<'a>>,
    /// The quality of protection of the response; compare without case.
    pub qop: Option<&'a str>,
    /// The server's own proof, in hexadecimal digits.
    pub rspauth: Option<Quoted<'a>>,
    /// The client's nonce.
    pub cnonce: Option<Quoted<'a>>,
    /// `nc`: how often the nonce was used.
    pub nonce_count: Option<u32>,
    /// All parameters. When it is written, the fields count, and of these only the others.
    pub parameters: AuthParameters<'a>,
}

impl<'a> DigestInfo<'a> {
    const NAMES: [&'static str; 5] = ["nextnonce", "qop", "rspauth", "cnonce", "nc"];

    pub(super) fn read(parameters: AuthParameters<'a>) -> Result<Self, ParseError> {
        Ok(Self {
            nextnonce: parameters.quoted("nextnonce")?,
            qop: parameters.token("qop")?,
            rspauth: parameters.quoted("rspauth")?,
            cnonce: parameters.quoted("cnonce")?,
            nonce_count: parameters.hexadecimal("nc")?,
            parameters,
        })
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let mut writer = AuthWriter { out, before: "" };
        writer.quoted("nextnonce", self.nextnonce);
        writer.token("qop", self.qop);
        writer.quoted("rspauth", self.rspauth);
        writer.quoted("cnonce", self.cnonce);
        writer.hexadecimal("nc", self.nonce_count);
        writer.others(self.parameters, &Self::NAMES);
    }
}

impl fmt::Debug for DigestInfo<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DigestInfo")
            .field("nextnonce", &self.nextnonce)
            .field("qop", &self.qop)
            .field("rspauth", &self.rspauth.map(|_| "…"))
            .field("nonce_count", &self.nonce_count)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{refused, round_trip};
    use super::super::{
        AuthParameters, AuthenticationInfo, Authorization, Challenge, Credentials, Header, ProxyAuthenticate,
        ProxyAuthorization, WwwAuthenticate,
    };
    use super::{DigestChallenge, DigestCredentials};
    use crate::message::{ParseErrorKind, Quoted};
    use alloc::format;
    use alloc::string::ToString;

    fn challenge(text: &str) -> DigestChallenge<'_> {
        match WwwAuthenticate::parse(text.as_bytes()) {
            Ok(WwwAuthenticate(Challenge::Digest(digest))) => digest,
            other => panic!("{text}: {other:?}"),
        }
    }

    fn credentials(text: &str) -> DigestCredentials<'_> {
        match Authorization::parse(text.as_bytes()) {
            Ok(Authorization(Credentials::Digest(digest))) => digest,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn the_challenges_of_the_rfc() {
        // RFC 3261 §20.44, §20.27.
        let text = "Digest realm=\"atlanta.com\",\r\n domain=\"sip:boxesbybob.com\", qop=\"auth\",\r\n nonce=\"f84f1cec41e6cbe5aea9c8e88d359\",\r\n opaque=\"\", stale=FALSE, algorithm=MD5";
        let read = challenge(text);
        assert_eq!(read.realm, *"atlanta.com");
        assert_eq!(read.domain, Some(Quoted::of("sip:boxesbybob.com")));
        assert_eq!(read.nonce, *"f84f1cec41e6cbe5aea9c8e88d359");
        assert!(read.opaque.is_some_and(Quoted::is_empty) && !read.stale);
        assert_eq!(read.algorithm, Some("MD5"));
        assert!(read.offers("auth") && !read.offers("auth-int"));
        let written = "Digest realm=\"atlanta.com\", domain=\"sip:boxesbybob.com\", qop=\"auth\", nonce=\"f84f1cec41e6cbe5aea9c8e88d359\", opaque=\"\", algorithm=MD5";
        assert_eq!(ProxyAuthenticate::parse(text.as_bytes()).unwrap().to_string(), written);
        assert_eq!(round_trip::<ProxyAuthenticate<'_>>(written), written);
        // RFC 3261 §22.4.
        assert!(
            challenge("Digest\r\n realm=\"biloxi.com\",\r\n qop=\"auth,auth-int\",\r\n nonce=\"dc\"")
                .offers("AUTH-INT")
        );
    }

    #[test]
    fn what_rfc_7616_added() {
        // RFC 7616 §3.9.2.
        let text = "Digest realm=\"api@example.org\", qop=\"auth\", nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", opaque=\"HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS\", algorithm=SHA-512-256, charset=UTF-8, userhash=true";
        assert_eq!(round_trip::<WwwAuthenticate<'_>>(text), text);
        assert!(challenge(text).userhash);
        let extended = "Digest username*=UTF-8''J%C3%A4s%C3%B8n%20Doe, realm=\"r\", nonce=\"n\", uri=\"/\", response=\"00\", userhash=true";
        let read = credentials(extended);
        assert_eq!((read.username_extended, read.username), (Some("UTF-8''J%C3%A4s%C3%B8n%20Doe"), None));
        assert_eq!(round_trip::<Authorization<'_>>(extended), extended);
    }

    #[test]
    fn the_credentials_of_the_rfc() {
        // RFC 3261 §22.4, and §20.7, which has no uri.
        let text = "Digest username=\"bob\",\r\n realm=\"biloxi.com\",\r\n nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\",\r\n uri=\"sip:bob@biloxi.com\",\r\n qop=auth,\r\n nc=00000001,\r\n cnonce=\"0a4f113b\",\r\n response=\"6629fae49393a05397450978507c4ef1\",\r\n opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"";
        let read = credentials(text);
        assert_eq!((read.username, read.nonce_count, read.qop), (Some(Quoted::of("bob")), Some(1), Some("auth")));
        assert_eq!(read.response, *"6629fae49393a05397450978507c4ef1");
        assert!(round_trip::<ProxyAuthorization<'_>>(text).contains("qop=auth, nc=00000001"));
        let read = credentials(
            "Digest username=\"Alice\", realm=\"atlanta.com\",\r\n nonce=\"84a4cc6f3082121f32b42a2187831a9e\",\r\n response=\"7587245234b3434cc3412213e5f113a5432\"",
        );
        assert!(read.uri.is_none());
    }

    #[test]
    fn the_proof_is_no_text_for_a_log() {
        let read =
            credentials("Digest username=\"bob\", realm=\"r\", nonce=\"n\", response=\"6629fae4\", x=\"6629fae4\"");
        let debug = format!("{:?}", Authorization(Credentials::Digest(read)));
        assert!(debug.contains("bob") && !debug.contains("6629fae4"), "{debug}");
        let info = AuthenticationInfo::parse(b"rspauth=\"6629fae4\"").unwrap();
        assert!(!format!("{info:?}").contains("6629fae4"));
    }

    #[test]
    fn what_a_server_says_after() {
        // RFC 3261 §20.6.
        let text = "nextnonce=\"47364c23432d2e131a5fb210812c\"";
        assert_eq!(round_trip::<AuthenticationInfo<'_>>(text), text);
        let text = "nextnonce=\"a\", qop=auth, rspauth=\"b\", cnonce=\"c\", nc=000000ff, x=y";
        assert_eq!(round_trip::<AuthenticationInfo<'_>>(text), text);
        refused::<AuthenticationInfo<'_>>(&["", "nextnonce=a", "nc=1", "nc=0000000g", "a", "a=b,", "Digest a=b"]);
    }

    #[test]
    fn quotes_may_stand_around_tokens_but_must_around_the_rest() {
        let read = credentials(
            "Digest username=\"b\",realm=\"r\",nonce=\"n\",response=\"0\",qop=\"auth\",nc=\"0000000A\",algorithm=\"MD5\"",
        );
        assert_eq!((read.qop, read.nonce_count, read.algorithm), (Some("auth"), Some(10), Some("MD5")));
        refused::<Authorization<'_>>(&[
            "Digest username=b, realm=\"r\", nonce=\"n\", response=\"0\"",
            "Digest username=\"b\", realm=\"r\", nonce=\"n\", response=0",
            "Digest username=\"b\", realm=\"r\", nonce=\"n\", response=\"0\", nc=1",
            "Digest username=\"b\", realm=\"r\", nonce=\"n\", response=\"0\", qop=\"a b\"",
            "Digest username=\"b\", username*=x, realm=\"r\", nonce=\"n\", response=\"0\"",
        ]);
    }

    #[test]
    fn a_quality_of_protection_is_offered_without_quotes_too() {
        let read = challenge("Digest realm=\"r\", nonce=\"n\", qop=auth");
        assert!(read.offers("auth") && !read.offers("auth-int"));
        refused::<WwwAuthenticate<'_>>(&[
            "Digest realm=\"r\", nonce=\"n\", qop=auth,auth-int",
            "Digest realm=r, nonce=\"n\"",
        ]);
    }

    #[test]
    fn what_must_be_there_stands_there_once() {
        for text in ["Digest nonce=\"n\"", "Digest realm=\"r\"", "Digest qop=\"auth\""] {
            assert_eq!(WwwAuthenticate::parse(text.as_bytes()).unwrap_err().kind(), ParseErrorKind::Missing, "{text}");
        }
        refused::<WwwAuthenticate<'_>>(&[
            "Digest",
            "Digest realm=\"a\", nonce=\"b\", Realm=\"c\"",
            "Digest,realm=\"a\"",
        ]);
        refused::<Authorization<'_>>(&[
            "Digest realm=\"r\", nonce=\"n\", response=\"0\"",
            "Digest username=\"b\", nonce=\"n\", response=\"0\"",
            "Digest username=\"b\", realm=\"r\", response=\"0\"",
            "Digest username=\"b\", realm=\"r\", nonce=\"n\"",
        ]);
    }

    #[test]
    fn a_challenge_is_built_from_its_fields() {
        let built = WwwAuthenticate(Challenge::Digest(DigestChallenge {
            realm: Quoted::of("the \"new\" one"),
            nonce: Quoted::of("1"),
            domain: None,
            opaque: None,
            stale: true,
            algorithm: Some("SHA-256"),
            qop: Some(Quoted::of("auth")),
            charset: None,
            userhash: false,
            parameters: AuthParameters::NONE,
        }));
        let text = "Digest realm=\"the \\\"new\\\" one\", qop=\"auth\", nonce=\"1\", stale=true, algorithm=SHA-256";
        assert_eq!(built.to_string(), text);
        assert_eq!(challenge(text).realm, *"the \"new\" one");
    }
}
