//! Each header as text: the value as it is written, octets that are no UTF-8 replaced.

use super::*;
use alloc::string::String;

macro_rules! display {
    ($($header:ident $(<$life:lifetime>)?),* $(,)?) => {$(
        impl fmt::Display for $header $(<$life>)? {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut out = Vec::new();
                self.write(&mut out);
                f.write_str(&String::from_utf8_lossy(&out))
            }
        }
    )*};
}

crate::typed_headers!(display);
