//! Replaces (RFC 3891).

use super::{CallId, Header, write_others};
use crate::message::error::{ParseError, ParseErrorKind};
use crate::message::name::HeaderId;
use crate::message::parameters::Parameters;
use crate::message::tag_param::TagParam;
use crate::message::text::Cursor;
use alloc::vec::Vec;

/// Replaces: which dialog the new one takes the place of (RFC 3891 §6.1).
#[derive(Clone, Copy, Debug)]
pub struct Replaces<'a> {
    /// The Call-ID.
    pub call_id: &'a str,
    /// The tag of the recipient: the local one where this arrives.
    pub to_tag: TagParam<'a>,
    /// The tag of the other end.
    pub from_tag: TagParam<'a>,
    /// Whether the dialog is to be replaced only as long as it is early.
    pub early_only: bool,
    /// All parameters. When it is written, the fields count, and of these only the others.
    pub parameters: Parameters<'a>,
}

impl<'a> Header<'a> for Replaces<'a> {
    const ID: HeaderId = HeaderId::Replaces;
    const LIST: bool = false;

    fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(value);
        let CallId(call_id) = CallId::parse(cursor.take_until(b';'))?;
        let before = cursor.offset();
        let parameters = super::parameters(&mut cursor)?;
        let tag = |name: &str| {
            let mut values = parameters.iter().filter(|parameter| parameter.name.eq_ignore_ascii_case(name));
            let error = |kind| Err(ParseError::new(kind, before));
            match (values.next(), values.next()) {
                (None, _) => error(ParseErrorKind::Missing),
                (Some(_), Some(_)) => error(ParseErrorKind::Parameter),
                (Some(_), None) => parameters.tag(name).ok_or(ParseError::new(ParseErrorKind::Token, before)),
            }
        };
        let (to_tag, from_tag) = (tag("to-tag")?, tag("from-tag")?);
        Ok(Self { call_id, to_tag, from_tag, early_only: parameters.has("early-only"), parameters })
    }

    fn write(&self, out: &mut Vec<u8>) {
        super::write_text(out, format_args!("{};to-tag={};from-tag={}", self.call_id, self.to_tag, self.from_tag));
        if self.early_only {
            out.extend_from_slice(b";early-only");
        }
        write_others(out, self.parameters, &["to-tag", "from-tag", "early-only"]);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{refused, round_trip};
    use super::{Header, Replaces};
    use crate::message::{Parameters, TagParam};
    use alloc::string::ToString;

    #[test]
    fn the_examples_of_the_rfc() {
        // RFC 3891 §6.1.
        let text = "98732@sip.example.com\r\n          ;from-tag=r33th4x0r\r\n          ;to-tag=ff87ff";
        assert_eq!(round_trip::<Replaces<'_>>(text), "98732@sip.example.com;to-tag=ff87ff;from-tag=r33th4x0r");
        let text = "12adf2f34456gs5;to-tag=12345;from-tag=54321;early-only";
        assert_eq!(round_trip::<Replaces<'_>>(text), text);
        let read = Replaces::parse(b"87134@171.161.34.23;to-tag=24796;from-tag=0;x=\"y\"").unwrap();
        assert_eq!(read.call_id, "87134@171.161.34.23");
        assert_eq!((read.to_tag.as_str(), read.from_tag.as_str()), ("24796", "0"));
        assert!(!read.early_only && read.parameters.has("x"));
    }

    #[test]
    fn tags_are_carried_as_they_are_and_compared_without_case() {
        let text = "a@b;to-tag=a/b+c==;from-tag=x@y";
        assert_eq!(round_trip::<Replaces<'_>>(text), text);
        let read = Replaces::parse(b"a@b;to-tag=A/B+C==;from-tag=X@y").unwrap();
        assert_eq!((read.to_tag, read.from_tag), (TagParam::of("a/b+c=="), TagParam::of("x@y")));
    }

    #[test]
    fn it_is_built_from_its_fields() {
        let parameters = Parameters::NONE;
        let [to_tag, from_tag] = ["1", "2"].map(TagParam::of);
        let built = Replaces { call_id: "a@b", to_tag, from_tag, early_only: true, parameters };
        assert_eq!(built.to_string(), "a@b;to-tag=1;from-tag=2;early-only");
    }

    #[test]
    fn each_tag_stands_there_once() {
        refused::<Replaces<'_>>(&[
            "",
            "a@b",
            ";to-tag=1;from-tag=2",
            "a@b;to-tag=1",
            "a@b;from-tag=1",
            "a@b;to-tag=1;from-tag=2;to-tag=3",
            "a@b;to-tag;from-tag=2",
            "a@b;to-tag=\"1\";from-tag=2",
            "a b;to-tag=1;from-tag=2",
            "a@b;to-tag=1;from-tag=2, c@d;to-tag=1;from-tag=2",
        ]);
    }
}
