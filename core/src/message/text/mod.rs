//! characters and small readers of RFC 3261 §25.1, shared by all readers and writers.

mod cursor;
mod digits;
mod search;
mod sets;
mod unfold;
mod values;

pub(crate) use cursor::Cursor;
pub(crate) use digits::{address, decimal, number};
pub(crate) use search::{
    find, find_control, find_either, find_unclear, first_of, is_lws, offset_in, split_line, split_once, trim, trim_end,
    trim_start,
};
pub(crate) use sets::{
    ALPHANUM, PARAMETER_NAME_END, PARAMETER_VALUE, PASSWORD, RESERVED, SCHEME, Set, TOKEN, URI_HEADER, URI_PARAMETER,
    URIC, USER, USER_NUMBER_SIGN, WORD, ascii, is_token, token,
};
pub(crate) use unfold::unfolded;
pub(in crate::message) use unfold::{check_rewritable, unfolded_whole};
pub(crate) use values::{Values, first_value, quoted_len};

#[cfg(test)]
mod tests {
    use super::{Values, find, find_control, find_either, number, quoted_len, token, trim};
    use alloc::vec::Vec;

    #[test]
    fn commas_in_quotes_and_brackets_do_not_split() {
        let text = br#""Bell, \", Alexander" <sip:a,b@example.com>;x="1,2" , sip:c@example.com,<sip:d@e,f>"#;
        let values: Vec<_> = Values::new(text).collect();
        assert_eq!(
            values,
            [&br#""Bell, \", Alexander" <sip:a,b@example.com>;x="1,2""#[..], b"sip:c@example.com", b"<sip:d@e,f>"]
        );
    }

    #[test]
    fn blank_text_has_no_values_and_commas_have_empty_ones() {
        assert_eq!(Values::new(b" \r\n ").count(), 0);
        assert_eq!(Values::new(b",").collect::<Vec<_>>(), [b"", b""]);
        assert_eq!(Values::new(b"a, ,b").collect::<Vec<_>>(), [&b"a"[..], b"", b"b"]);
    }

    #[test]
    fn what_is_not_closed_is_one_value() {
        assert_eq!(Values::new(b"\"a, b").count(), 1);
        assert_eq!(Values::new(b"<a, b").count(), 1);
    }

    #[test]
    fn octets_are_found_at_every_place() {
        for length in 0..40 {
            for at in 0..length {
                let mut text: Vec<u8> = core::iter::repeat_n(b'\x0b', length).collect();
                text[at] = b'\n';
                assert_eq!(find(&text, b'\n'), Some(at));
                assert_eq!(find_either(&text, b'\r', b'\n'), Some(at));
                assert_eq!(find_either(&text, b'\r', b'x'), None);
                for (octet, before) in [(b'\r', b'\x0e'), (b'\0', b' '), (b'\n', 0xff)] {
                    let mut text: Vec<u8> = core::iter::repeat_n(before, length).collect();
                    assert_eq!(find_control(&text), None);
                    text[at] = octet;
                    assert_eq!(find_control(&text), Some(at));
                }
            }
        }
    }

    #[test]
    fn numbers_have_only_digits_and_fit() {
        assert_eq!(number(b"0068"), Some(68));
        assert_eq!(number(b"4294967295"), Some(u32::MAX));
        for bad in [&b"4294967296"[..], b"", b"-1", b"+1", b"1 ", b"36893488147419103232"] {
            assert_eq!(number(bad), None);
        }
    }

    #[test]
    fn quoted_strings_end_at_the_first_unescaped_quote() {
        assert_eq!(quoted_len(br#""a\"b" c"#), Some(6));
        assert_eq!(quoted_len(br#""a\"#), None);
        assert_eq!(quoted_len(br#"a"#), None);
    }

    #[test]
    fn tokens_and_white_space() {
        assert_eq!(token(b"a%b"), Some("a%b"));
        assert_eq!(token(b"a b"), None);
        assert_eq!(trim(b"\r\n  a \t"), b"a");
    }
}
