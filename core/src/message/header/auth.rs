//! Challenges and credentials: WWW-Authenticate, Proxy-Authenticate, Authorization, Proxy-Authorization,
//! Authentication-Info (RFC 3261 §20.6, §20.7, §20.27, §20.28, §20.44). Commas in these headers do not separate values.

use super::digest::{DigestChallenge, DigestCredentials, DigestInfo};
use super::{Header, write_unfolded};
use crate::message::error::{ParseError, ParseErrorKind};
use crate::message::name::HeaderId;
use crate::message::quoted::Quoted;
use crate::message::text::{self, Cursor, TOKEN};
use alloc::vec::Vec;
use core::fmt;
use core::ops::Deref;

/// `name=value, name="value"`: checked text. Names are compared without case. `Debug` shows the names only.
#[derive(Clone, Copy, Default)]
pub struct AuthParameters<'a> {
    text: &'a [u8],
    /// Where the text stands in the value it was read from.
    at: usize,
}

/// One parameter of a challenge or of credentials.
#[derive(Clone, Copy)]
pub struct AuthParameter<'a> {
    /// The name, as written.
    pub name: &'a str,
    /// The value, quotes included.
    pub value: &'a [u8],
}

impl<'a> AuthParameters<'a> {
    /// No parameters.
    pub const NONE: Self = Self { text: &[], at: 0 };

    /// Takes what is left; there must be at least one.
    fn take(cursor: &mut Cursor<'a>) -> Result<Self, ParseError> {
        let (at, text) = (cursor.offset(), text::trim(cursor.rest()));
        loop {
            cursor.token()?;
            cursor.separator(b'=', ParseErrorKind::Parameter)?;
            if cursor.peek() == Some(b'"') {
                Quoted::take(cursor)?;
            } else {
                cursor.token()?;
            }
            cursor.lws();
            if cursor.is_done() {
                return Ok(Self { text, at });
            }
            cursor.separator(b',', ParseErrorKind::Trailing)?;
        }
    }

    /// The parameters in order.
    pub fn iter(self) -> impl Iterator<Item = AuthParameter<'a>> + Clone {
        let mut cursor = Cursor::new(self.text);
        core::iter::from_fn(move || {
            cursor.lws();
            let name = cursor.token().ok()?;
            cursor.separator(b'=', ParseErrorKind::Parameter).ok()?;
            let value = match cursor.peek() {
                Some(b'"') => cursor.quoted().ok()?,
                _ => cursor.take_while(&TOKEN),
            };
            cursor.lws();
            cursor.eat(b',');
            Some(AuthParameter { name, value })
        })
    }

    /// The value of the parameter of this name; more than one is an error.
    fn value(self, name: &str) -> Result<Option<&'a [u8]>, ParseError> {
        let mut all = self.iter().filter(|parameter| parameter.name.eq_ignore_ascii_case(name));
        match (all.next(), all.next()) {
            (Some(_), Some(again)) => Err(self.error(ParseErrorKind::Parameter, again.value)),
            (first, _) => Ok(first.map(|parameter| parameter.value)),
        }
    }

    /// An error at this part of the text.
    fn error(self, kind: ParseErrorKind, part: &[u8]) -> ParseError {
        ParseError::new(kind, self.at + text::offset_in(self.text, part))
    }

    pub(super) fn missing(self) -> ParseError {
        ParseError::new(ParseErrorKind::Missing, self.at)
    }

    /// A value that must be quoted.
    pub(super) fn quoted(self, name: &str) -> Result<Option<Quoted<'a>>, ParseError> {
        let Some(value) = self.value(name)? else { return Ok(None) };
        Quoted::parse(value).map(Some).ok_or(self.error(ParseErrorKind::Quotes, value))
    }

    /// A value that is a token; quotes around it, which many write, do no harm.
    pub(super) fn token(self, name: &str) -> Result<Option<&'a str>, ParseError> {
        let Some(value) = self.value(name)? else { return Ok(None) };
        let bare = match value {
            [b'"', inner @ .., b'"'] => inner,
            bare => bare,
        };
        text::token(bare).map(Some).ok_or(self.error(ParseErrorKind::Token, value))
    }

    /// A value that must be quoted by who writes it; a token without quotes, which many write, does no harm.
    pub(super) fn quoted_or_token(self, name: &str) -> Result<Option<Quoted<'a>>, ParseError> {
        match self.value(name)? {
            Some([b'"', ..]) | None => self.quoted(name),
            Some(value) => match text::token(value) {
                Some(text) => Ok(Some(Quoted::of(text))),
                None => Err(self.error(ParseErrorKind::Token, value)),
            },
        }
    }

    /// Whether the value is `true`; any other token is not (RFC 7616 §3.3).
    pub(super) fn flag(self, name: &str) -> Result<bool, ParseError> {
        Ok(self.token(name)?.is_some_and(|value| value.eq_ignore_ascii_case("true")))
    }

    /// A number of eight hexadecimal digits.
    pub(super) fn hexadecimal(self, name: &str) -> Result<Option<u32>, ParseError> {
        let Some(digits) = self.token(name)? else { return Ok(None) };
        let good = digits.len() == 8 && digits.bytes().all(|octet| octet.is_ascii_hexdigit());
        let number = good.then(|| u32::from_str_radix(digits, 16).ok()).flatten();
        number.map(Some).ok_or(self.error(ParseErrorKind::Number, digits.as_bytes()))
    }
}

impl fmt::Debug for AuthParameters<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|parameter| parameter.name)).finish()
    }
}

impl fmt::Debug for AuthParameter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=…", self.name)
    }
}

/// Writes a scheme's parameters with commas between them.
pub(super) struct AuthWriter<'v> {
    pub(super) out: &'v mut Vec<u8>,
    /// The text that stands before the next one.
    pub(super) before: &'static str,
}

impl AuthWriter<'_> {
    fn name(&mut self, name: &str) {
        self.out.extend_from_slice(self.before.as_bytes());
        self.before = ", ";
        self.out.extend_from_slice(name.as_bytes());
        self.out.push(b'=');
    }

    pub(super) fn quoted(&mut self, name: &str, value: Option<Quoted<'_>>) {
        if let Some(value) = value {
            self.name(name);
            value.write(self.out);
        }
    }

    pub(super) fn token(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.name(name);
            self.out.extend_from_slice(value.as_bytes());
        }
    }

    pub(super) fn flag(&mut self, name: &str, value: bool) {
        self.token(name, value.then_some("true"));
    }

    pub(super) fn hexadecimal(&mut self, name: &str, value: Option<u32>) {
        if let Some(value) = value {
            self.name(name);
            super::write_text(self.out, format_args!("{value:08x}"));
        }
    }

    /// Those parameters that have none of these names.
    pub(super) fn others(&mut self, parameters: AuthParameters<'_>, names: &[&str]) {
        for AuthParameter { name, value } in parameters.iter() {
            if !names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                self.name(name);
                write_unfolded(self.out, value);
            }
        }
    }
}

/// The challenge of a server.
#[derive(Clone, Copy, Debug)]
pub enum Challenge<'a> {
    /// Digest (RFC 7616).
    Digest(DigestChallenge<'a>),
    /// Any other scheme.
    Other {
        /// The scheme.
        scheme: &'a str,
        /// Its parameters.
        parameters: AuthParameters<'a>,
    },
}

impl<'a> Challenge<'a> {
    fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        let (scheme, mut cursor) = scheme(value)?;
        let parameters = AuthParameters::take(&mut cursor)?;
        if scheme.eq_ignore_ascii_case("Digest") {
            return DigestChallenge::read(parameters).map(Self::Digest);
        }
        Ok(Self::Other { scheme, parameters })
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Digest(digest) => digest.write(out),
            Self::Other { scheme, parameters } => {
                out.extend_from_slice(scheme.as_bytes());
                AuthWriter { out, before: " " }.others(*parameters, &[]);
            }
        }
    }
}

/// The credentials of a client. `Debug` shows no secret.
#[derive(Clone, Copy)]
#[expect(clippy::large_enum_variant, reason = "a box would be an allocation, and the small variant is the rare one")]
pub enum Credentials<'a> {
    /// Digest (RFC 7616).
    Digest(DigestCredentials<'a>),
    /// Any other scheme.
    Other {
        /// The scheme.
        scheme: &'a str,
        /// The text behind the scheme: parameters, or one token such as those of `Bearer` and `Basic`.
        secret: &'a [u8],
    },
}

impl<'a> Credentials<'a> {
    fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        let (scheme, mut cursor) = scheme(value)?;
        if scheme.eq_ignore_ascii_case("Digest") {
            return DigestCredentials::read(AuthParameters::take(&mut cursor)?).map(Self::Digest);
        }
        let secret = text::trim(cursor.rest());
        if !is_token68(secret) {
            AuthParameters::take(&mut cursor)?;
        }
        Ok(Self::Other { scheme, secret })
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Digest(digest) => digest.write(out),
            Self::Other { scheme, secret } => {
                super::write_text(out, format_args!("{scheme} "));
                write_unfolded(out, secret);
            }
        }
    }
}

impl fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Digest(digest) => digest.fmt(f),
            Self::Other { scheme, .. } => write!(f, "{scheme} …"),
        }
    }
}

/// The realm of Digest credentials of which another parameter may be malformed. `None` if it cannot be told.
pub(crate) fn realm_of(value: &[u8]) -> Option<Quoted<'_>> {
    let (scheme, mut cursor) = scheme(value).ok()?;
    let parameters = AuthParameters::take(&mut cursor).ok()?;
    parameters.quoted("realm").ok()?.filter(|_| scheme.eq_ignore_ascii_case("Digest"))
}

/// The scheme and the white space behind it.
fn scheme(value: &[u8]) -> Result<(&str, Cursor<'_>), ParseError> {
    let mut cursor = Cursor::new(value);
    cursor.lws();
    let scheme = cursor.token()?;
    if !cursor.peek().is_some_and(text::is_lws) {
        return Err(cursor.error(ParseErrorKind::Parameter));
    }
    cursor.lws();
    Ok((scheme, cursor))
}

/// `token68` (RFC 7235 §2.1).
fn is_token68(text: &[u8]) -> bool {
    let bare = text.iter().rposition(|&octet| octet != b'=').and_then(|last| text.get(..=last)).unwrap_or_default();
    !bare.is_empty() && bare.iter().all(|octet| octet.is_ascii_alphanumeric() || b"-._~+/".contains(octet))
}

/// A header that is one challenge or one set of credentials.
macro_rules! auth_header {
    ($(#[$doc:meta])* $name:ident($inner:ident)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name<'a>(pub $inner<'a>);

        impl<'a> Header<'a> for $name<'a> {
            const ID: HeaderId = HeaderId::$name;
            const LIST: bool = false;

            fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
                $inner::parse(value).map(Self)
            }

            fn write(&self, out: &mut Vec<u8>) {
                self.0.write(out);
            }
        }

        impl<'a> Deref for $name<'a> {
            type Target = $inner<'a>;

            fn deref(&self) -> &$inner<'a> {
                &self.0
            }
        }
    };
}

auth_header!(
    /// WWW-Authenticate: the challenge of a UAS or registrar (RFC 3261 §20.44). Several challenges are several fields.
    WwwAuthenticate(Challenge)
);
auth_header!(
    /// Proxy-Authenticate: the challenge of a proxy (RFC 3261 §20.27). Several challenges are several fields.
    ProxyAuthenticate(Challenge)
);
auth_header!(
    /// Authorization: credentials for a UAS or registrar (RFC 3261 §20.7). Several are several fields.
    Authorization(Credentials)
);
auth_header!(
    /// Proxy-Authorization: credentials for a proxy (RFC 3261 §20.28). Several are several fields.
    ProxyAuthorization(Credentials)
);
auth_header!(
    /// Authentication-Info: what a server says once a client has proved itself (RFC 3261 §20.6, RFC 7616 §3.5).
    AuthenticationInfo(DigestInfo)
);

impl<'a> DigestInfo<'a> {
    fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(value);
        cursor.lws();
        Self::read(AuthParameters::take(&mut cursor)?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{refused, round_trip};
    use super::{
        Authorization, Challenge, Credentials, Header, ProxyAuthenticate, ProxyAuthorization, WwwAuthenticate,
    };
    use crate::message::{HeaderId, ParseErrorKind};
    use alloc::format;

    #[test]
    fn other_schemes_are_kept() {
        let text = "NewScheme a=b, c=\"d, e\"";
        assert_eq!(round_trip::<WwwAuthenticate<'_>>(text), text);
        let Ok(WwwAuthenticate(Challenge::Other { scheme, parameters })) = WwwAuthenticate::parse(text.as_bytes())
        else {
            panic!("not another scheme");
        };
        assert_eq!((scheme, parameters.iter().count()), ("NewScheme", 2));
        for text in ["Bearer mF_9.B5f-4.1JqM", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "New x=y, z=\"\""] {
            assert_eq!(round_trip::<Authorization<'_>>(text), text);
            assert_eq!(round_trip::<ProxyAuthorization<'_>>(text), text);
        }
    }

    #[test]
    fn other_credentials_are_no_text_for_a_log() {
        let read = Authorization::parse(b"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==").unwrap();
        assert!(matches!(read.0, Credentials::Other { secret: b"QWxhZGRpbjpvcGVuIHNlc2FtZQ==", .. }));
        assert_eq!(format!("{read:?}"), "Authorization(Basic …)");
        let read = WwwAuthenticate::parse(b"New token=s3cr3t").unwrap();
        assert!(!format!("{read:?}").contains("s3cr3t"));
    }

    #[test]
    fn malformed_ones_are_refused() {
        refused::<ProxyAuthenticate<'_>>(&[
            "",
            "New",
            "New ",
            "New a",
            "New a=",
            "New a=b,",
            "New a=b,,c=d",
            "New a=b c=d",
            "New a=\"b",
            "New a=b, Other c=d",
            "New,a=b",
            "\"New\" a=b",
        ]);
        refused::<Authorization<'_>>(&["", "Basic", "Basic a b", "Basic =", "Basic a=b=c", "Bearer ä"]);
        let error = WwwAuthenticate::parse(b"New a=b;c=d").unwrap_err().within(HeaderId::WwwAuthenticate);
        assert_eq!((error.kind(), error.offset()), (ParseErrorKind::Trailing, 7));
    }
}
