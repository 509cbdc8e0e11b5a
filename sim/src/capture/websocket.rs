//! WebSocket frames, unmasked (RFC 6455 §5, RFC 7118).

/// The payload of a ping, a pong or a close is no longer (RFC 6455 §5.5).
const LONGEST_CONTROL: usize = 125;

/// The head of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Head {
    is_last: bool,
    opcode: u8,
    mask: Option<[u8; 4]>,
    /// Octets of the header.
    header: usize,
    payload: u64,
}

/// Reads the header that octets begin with; `None` if more are needed.
fn head(octets: &[u8]) -> Option<Head> {
    let [first, second, rest @ ..] = octets else { return None };
    let (payload, long) = match second & 0x7f {
        126 => (u64::from(u16::from_be_bytes(*rest.first_chunk()?)), 2),
        127 => (u64::from_be_bytes(*rest.first_chunk()?), 8),
        short => (u64::from(short), 0),
    };
    let mask = match second & 0x80 {
        0 => None,
        _ => Some(*rest.get(long..)?.first_chunk()?),
    };
    let header = 2 + long + if mask.is_some() { 4 } else { 0 };
    Some(Head { is_last: first & 0x80 != 0, opcode: first & 0x0f, mask, header, payload })
}

/// Whether these octets are just one whole frame with a message, and that message.
pub(super) fn single(octets: &[u8]) -> Option<Vec<u8>> {
    let head = head(octets)?;
    let payload = octets.get(head.header..)?;
    let is_it = head.is_last && matches!(head.opcode, 1 | 2) && octets[0] & 0x70 == 0;
    (is_it && head.payload == payload.len() as u64).then(|| unmasked(payload, head.mask))
}

fn unmasked(payload: &[u8], mask: Option<[u8; 4]>) -> Vec<u8> {
    let Some(mask) = mask else { return payload.to_vec() };
    payload.iter().zip(mask.iter().cycle()).map(|(octet, mask)| octet ^ mask).collect()
}

/// Cuts a direction of a connection into messages.
#[derive(Debug)]
pub(super) struct WebSocket {
    /// No message is longer.
    longest: usize,
    held: Vec<u8>,
    /// The message of which frames have come.
    message: Vec<u8>,
}

/// A direction cannot be read further.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLong;

impl WebSocket {
    pub(super) const fn new(longest: usize) -> Self {
        Self { longest, held: Vec::new(), message: Vec::new() }
    }

    /// Octets that are held.
    pub(super) fn held(&self) -> usize {
        self.held.len() + self.message.len()
    }

    /// Takes what comes, and gives each whole message to `each`.
    pub(super) fn read(&mut self, octets: &[u8], each: &mut dyn FnMut(&[u8])) -> Result<(), TooLong> {
        self.held.extend_from_slice(octets);
        let mut used = 0;
        let result = loop {
            let rest = self.held.get(used..).unwrap_or_default();
            let Some(head) = head(rest) else { break Ok(()) };
            let is_control = head.opcode >= 8;
            let longest = if is_control { LONGEST_CONTROL } else { self.longest.saturating_sub(self.message.len()) };
            if head.payload > longest as u64 {
                break Err(TooLong);
            }
            let end = head.header + usize::try_from(head.payload).unwrap_or(usize::MAX);
            let Some(payload) = rest.get(head.header..end) else { break Ok(()) };
            used += end;
            // Between the frames of a message there may be a ping, a pong or a close.
            if !is_control {
                self.message.extend(unmasked(payload, head.mask));
                if head.is_last {
                    each(&self.message);
                    self.message.clear();
                }
            }
        };
        self.held.drain(..used);
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(longest: usize, pieces: &[&[u8]]) -> (Vec<String>, Result<(), TooLong>) {
        let (mut reader, mut all, mut result) = (WebSocket::new(longest), Vec::new(), Ok(()));
        for piece in pieces {
            result = reader.read(piece, &mut |message| all.push(String::from_utf8_lossy(message).into_owned()));
        }
        (all, result)
    }

    /// The examples of RFC 6455 §5.7.
    #[test]
    fn messages_of_the_rfc_are_read() {
        let hello = ["Hello".to_owned()];
        const PLAIN: &[u8] = &[0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f];
        const MASKED: &[u8] = &[0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
        const PING: &[u8] = &[0x89, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f];
        assert_eq!(read(5, &[PLAIN]), (hello.to_vec(), Ok(())));
        assert_eq!(read(5, &[&MASKED[..3], &MASKED[3..7], &MASKED[7..]]), (hello.to_vec(), Ok(())));
        assert_eq!(
            read(5, &[&[0x01, 0x03, 0x48, 0x65, 0x6c], PING, &[0x80, 0x02, 0x6c, 0x6f]]),
            (hello.to_vec(), Ok(()))
        );
        assert_eq!(read(4, &[PLAIN]).1, Err(TooLong));
        assert_eq!((single(MASKED), single(&MASKED[..9]), single(PING)), (Some(b"Hello".to_vec()), None, None));
        let long = [&[0x82, 0x7e, 0x01, 0x00][..], &[b'x'; 256]].concat();
        assert_eq!(read(256, &[&long]), (vec!["x".repeat(256)], Ok(())));
        let longest = [&[0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0][..], &[b'x'; 65_536]].concat();
        assert_eq!(read(65_536, &[&longest]), (vec!["x".repeat(65_536)], Ok(())));
        assert_eq!(read(65_536, &[&[0x82, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]]).1, Err(TooLong));
    }
}
