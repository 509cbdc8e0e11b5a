//! Headers that share a shape.

/// A header whose values are each one [`NameAddr`](super::NameAddr), read by `parse`.
macro_rules! name_addr_header {
    ($(#[$doc:meta])* $name:ident, list: $list:literal, parse: $parse:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name<'a>(pub $crate::message::header::NameAddr<'a>);

        impl<'a> $crate::message::header::Header<'a> for $name<'a> {
            const ID: $crate::message::HeaderId = $crate::message::HeaderId::$name;
            const LIST: bool = $list;

            fn parse(value: &'a [u8]) -> Result<Self, $crate::message::ParseError> {
                $parse(value, $crate::message::UserPart::Strict).map(Self)
            }

            fn parse_with(
                value: &'a [u8],
                user_part: $crate::message::UserPart,
            ) -> Result<Self, $crate::message::ParseError> {
                $parse(value, user_part).map(Self)
            }

            fn write(&self, out: &mut ::alloc::vec::Vec<u8>) {
                self.0.write(out);
            }
        }

        impl<'a> ::core::ops::Deref for $name<'a> {
            type Target = $crate::message::header::NameAddr<'a>;

            fn deref(&self) -> &Self::Target {
                &self.0
            }
        }
    };
}

/// A header whose values are each one token, compared without case (RFC 3261 §7.3.1).
macro_rules! token_header {
    ($(#[$doc:meta])* $name:ident, list: $list:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name<'a>(pub &'a str);

        impl PartialEq for $name<'_> {
            fn eq(&self, other: &Self) -> bool {
                self.0.eq_ignore_ascii_case(other.0)
            }
        }

        impl Eq for $name<'_> {}

        impl<'a> $crate::message::header::Header<'a> for $name<'a> {
            const ID: $crate::message::HeaderId = $crate::message::HeaderId::$name;
            const LIST: bool = $list;

            fn parse(value: &'a [u8]) -> Result<Self, $crate::message::ParseError> {
                $crate::message::header::whole_token(value).map(Self)
            }

            fn write(&self, out: &mut ::alloc::vec::Vec<u8>) {
                out.extend_from_slice(self.0.as_bytes());
            }
        }
    };
}

/// A header whose values are each a token, the field named, and parameters.
macro_rules! token_and_parameters_header {
    ($(#[$doc:meta])* $name:ident { $(#[$field_doc:meta])* $field:ident }, list: $list:literal, check: $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name<'a> {
            $(#[$field_doc])*
            pub $field: &'a str,
            /// The parameters.
            pub parameters: $crate::message::Parameters<'a>,
        }

        impl<'a> $crate::message::header::Header<'a> for $name<'a> {
            const ID: $crate::message::HeaderId = $crate::message::HeaderId::$name;
            const LIST: bool = $list;

            fn parse(value: &'a [u8]) -> Result<Self, $crate::message::ParseError> {
                let ($field, parameters) = $crate::message::header::token_and_parameters(value)?;
                $check(Self { $field, parameters })
            }

            fn write(&self, out: &mut ::alloc::vec::Vec<u8>) {
                out.extend_from_slice(self.$field.as_bytes());
                $crate::message::header::write_unfolded(out, self.parameters.as_bytes());
            }
        }
    };
}
