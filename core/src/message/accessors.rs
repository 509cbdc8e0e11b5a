//! Accessors that a request and a response have in common.

/// The accessors that both kinds of message have, equality of the octets, and `Debug` with the start line alone. The type has
/// the field `bytes`, with the layout behind them, and its module imports what the accessors give.
macro_rules! message_accessors {
    ($message:ident) => {
        impl $message {
            /// The spans. Whoever asks needs a part of them, and the rest need not be read.
            #[inline(always)]
            pub(super) fn layout(&self) -> Layout<'_> {
                Layout::unpack(self.bytes.tail())
            }

            /// The header fields.
            pub fn headers(&self) -> Headers<'_> {
                self.layout().headers(&self.bytes)
            }

            /// The body.
            pub fn body(&self) -> &[u8] {
                self.layout().body(&self.bytes)
            }

            /// The whole message.
            pub fn as_bytes(&self) -> &SharedBytes {
                &self.bytes
            }

            /// The topmost Via; `None` if absent or malformed.
            pub fn top_via(&self) -> Option<Via<'_>> {
                self.headers().top_via()
            }

            /// From; `None` if absent or malformed.
            pub fn from(&self) -> Option<NameAddr<'_>> {
                self.headers().from()
            }

            /// To; `None` if absent or malformed.
            pub fn to_header(&self) -> Option<NameAddr<'_>> {
                self.headers().to()
            }

            /// The tag of To of a message that was found to be processable, without reading it once more.
            pub(crate) fn to_tag(&self) -> Option<TagParam<'_>> {
                self.headers().text_of_to()?.tag()
            }

            /// Call-ID; `None` if absent or malformed.
            pub fn call_id(&self) -> Option<&str> {
                self.headers().call_id()
            }

            /// CSeq; `None` if absent or malformed.
            pub fn cseq(&self) -> Option<CSeq<'_>> {
                self.headers().cseq()
            }

            /// The first Contact; `None` if absent, malformed or `*`.
            pub fn contact(&self) -> Option<NameAddr<'_>> {
                self.headers().contact()
            }
        }

        impl PartialEq for $message {
            fn eq(&self, other: &Self) -> bool {
                self.bytes == other.bytes
            }
        }

        impl Eq for $message {}

        impl fmt::Debug for $message {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($message), self.layout().start_line(&self.bytes).escape_ascii())
            }
        }
    };
}
pub(super) use message_accessors;
