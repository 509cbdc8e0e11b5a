//! Sets of characters (RFC 3261 §25.1), and text that has no others.

/// A set of ASCII characters.
pub(crate) struct Set([bool; 256]);

impl Set {
    pub(crate) const fn of(members: &[u8]) -> Self {
        Self([false; 256]).and(members)
    }

    #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler; a `u8` is below 256")]
    pub(crate) const fn and(&self, members: &[u8]) -> Self {
        let mut all = self.0;
        let mut rest = members;
        while let [first, tail @ ..] = rest {
            all[*first as usize] = true;
            rest = tail;
        }
        Self(all)
    }

    /// Whether the set has an octet, asked by the compiler.
    #[expect(clippy::indexing_slicing, reason = "a `u8` is below 256")]
    pub(crate) const fn holds(&self, octet: u8) -> bool {
        self.0[octet as usize]
    }

    pub(crate) fn has(&self, octet: u8) -> bool {
        self.0.get(usize::from(octet)) == Some(&true)
    }

    /// Whether the text has only these characters. True of the empty text.
    pub(crate) fn covers(&self, text: &[u8]) -> bool {
        let (fours, rest) = text.as_chunks();
        let has_four = |[a, b, c, d]: &[u8; 4]| self.has(*a) & self.has(*b) & self.has(*c) & self.has(*d);
        fours.iter().all(has_four) && rest.iter().all(|&octet| self.has(octet))
    }

    /// Whether the text has only these characters and `%` escapes. True of the empty text.
    pub(crate) fn covers_escaped(&self, text: &[u8]) -> bool {
        self.escaped_len(text) == text.len()
    }

    /// How many octets at the beginning of the text are these characters and `%` escapes.
    pub(crate) fn escaped_len(&self, text: &[u8]) -> usize {
        let mut rest = text;
        loop {
            rest = match rest {
                [octet, tail @ ..] if self.has(*octet) => tail,
                [b'%', high, low, tail @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => tail,
                _ => return text.len() - rest.len(),
            }
        }
    }
}

pub(crate) static ALPHANUM: Set = Set::of(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
pub(crate) static TOKEN: Set = ALPHANUM.and(b"-.!%*_+`'~");
pub(crate) static WORD: Set = TOKEN.and(b"()<>:\\\"/[]?{}");
pub(crate) static UNRESERVED: Set = ALPHANUM.and(b"-_.!~*'()");
pub(crate) static RESERVED: Set = Set::of(b";/?:@&=+$,");
pub(crate) static USER: Set = UNRESERVED.and(b"&=+$,;?/");
/// A user part with `#`.
pub(crate) static USER_NUMBER_SIGN: Set = USER.and(b"#");
pub(crate) static PASSWORD: Set = UNRESERVED.and(b"&=+$,");
pub(crate) static URI_PARAMETER: Set = UNRESERVED.and(b"[]/:&+$");
pub(crate) static URI_HEADER: Set = UNRESERVED.and(b"[]/?:+$");
pub(crate) static URIC: Set = UNRESERVED.and(b";/?:@&=+$,[]");
pub(crate) static SCHEME: Set = ALPHANUM.and(b"+-.");
/// The octets that end the name of a parameter that was read before.
pub(crate) static PARAMETER_NAME_END: Set = Set::of(b"=; \t\r\n");
/// The characters that an unquoted parameter value may have: those of a token or a host.
pub(crate) static PARAMETER_VALUE: Set = TOKEN.and(b"[]:");

/// Text whose characters were found to be ASCII.
pub(crate) fn ascii(text: &[u8]) -> &str {
    core::str::from_utf8(text).unwrap_or_default()
}

/// Whether the text is a token.
pub(crate) fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && TOKEN.covers(text)
}

/// The text as a token, or `None`.
pub(crate) fn token(text: &[u8]) -> Option<&str> {
    is_token(text).then(|| ascii(text))
}
