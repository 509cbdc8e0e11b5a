//! A text read from left to right.

use super::search::{find, trim_start};
use super::sets::{Set, TOKEN, ascii};
use super::unfold::check_rewritable;
use super::values::quoted_len;
use crate::message::error::{ParseError, ParseErrorKind};

/// A place in a text that is read from left to right.
#[derive(Clone, Debug)]
pub(crate) struct Cursor<'a> {
    text: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(crate) const fn new(text: &'a [u8]) -> Self {
        Self { text, rest: text }
    }

    pub(crate) const fn offset(&self) -> usize {
        self.text.len() - self.rest.len()
    }

    pub(crate) const fn error(&self, kind: ParseErrorKind) -> ParseError {
        ParseError::new(kind, self.offset())
    }

    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) const fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    pub(crate) const fn is_done(&self) -> bool {
        self.rest.is_empty()
    }

    /// Skips linear white space.
    pub(crate) fn lws(&mut self) {
        self.rest = trim_start(self.rest);
    }

    /// Takes this octet if it is next.
    pub(crate) fn eat(&mut self, octet: u8) -> bool {
        match self.rest {
            [first, rest @ ..] if *first == octet => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    /// Takes this octet and the white space around it.
    pub(crate) fn separator(&mut self, octet: u8, kind: ParseErrorKind) -> Result<(), ParseError> {
        self.lws();
        if !self.eat(octet) {
            return Err(self.error(kind));
        }
        self.lws();
        Ok(())
    }

    /// Takes this many octets, or what is left.
    pub(crate) fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at_checked(count).unwrap_or((self.rest, &[]));
        self.rest = rest;
        taken
    }

    /// Takes octets as long as they are in the set.
    pub(crate) fn take_while(&mut self, set: &Set) -> &'a [u8] {
        let count = self.rest.iter().position(|&octet| !set.has(octet)).unwrap_or(self.rest.len());
        self.take(count)
    }

    /// Takes octets up to this one, or what is left.
    pub(crate) fn take_until(&mut self, octet: u8) -> &'a [u8] {
        self.take(find(self.rest, octet).unwrap_or(self.rest.len()))
    }

    pub(crate) fn token(&mut self) -> Result<&'a str, ParseError> {
        let error = self.error(ParseErrorKind::Token);
        let text = self.take_while(&TOKEN);
        if text.is_empty() { Err(error) } else { Ok(ascii(text)) }
    }

    /// Takes a quoted string, quotes included, that can be written again.
    pub(crate) fn quoted(&mut self) -> Result<&'a [u8], ParseError> {
        let length = quoted_len(self.rest).ok_or(self.error(ParseErrorKind::Quotes))?;
        let before = self.offset();
        let text = self.take(length);
        check_rewritable(text).map_err(|error| error.moved(before))?;
        Ok(text)
    }
}
