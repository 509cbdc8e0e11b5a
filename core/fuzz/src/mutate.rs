//! How inputs are made of others.

/// Pieces that messages are made of.
const WORDS: [&[u8]; 40] = [
    b"\r\n",
    b"\r\n\r\n",
    b"\n",
    b"\r",
    b"\r\n ",
    b",",
    b";",
    b"\"",
    b"\\",
    b"<",
    b">",
    b"sip:",
    b"sips:a@[::1]:5061",
    b"Via: SIP/2.0/UDP a;branch=z9hG4bK1;rport",
    b"v:",
    b"Content-Length: 0",
    b"l: 4294967296",
    b"l :\r\n 3",
    b"SIP/2.0 200 OK\r\n",
    b"INVITE sip:a@b SIP/2.0\r\n",
    b"Route: <sip:a;lr>",
    b"*",
    b"tag=",
    b"%41",
    b"%",
    b"@",
    b":",
    b"?",
    b"=",
    b"(",
    b")",
    b"\0",
    b"\xff",
    b"\xc3\xa9",
    b";received=1.2.3.4",
    b"Max-Forwards: 70",
    b"\t",
    b"[",
    b"]",
    b"Contact: \"a\\\"\" <sip:b>;q=0.5",
];

/// xorshift64*: small, and the same everywhere.
pub struct Random(u64);

impl Random {
    /// The numbers of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(2).wrapping_add(1))
    }

    /// The next 64 bits.
    fn draw(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// Below `bound`; zero if that is zero.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from((self.draw() >> 33) % (bound.max(1) as u64)).unwrap_or_default()
    }

    /// The next octet.
    pub fn octet(&mut self) -> u8 {
        self.draw().to_be_bytes()[0]
    }
}

/// Changes the data in one place; what is put in may come from another input.
pub fn mutate(data: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    let at = random.below(data.len() + 1);
    let length = random.below(data.len() - at + 1).min(1 << random.below(9));
    match random.below(8) {
        0 if at < data.len() => data[at] = random.octet(),
        1 if at < data.len() => data[at] ^= 1 << random.below(8),
        2 => drop(data.drain(at..at + length)),
        3 => {
            let piece = data[at..at + length].to_vec();
            let to = random.below(data.len() + 1);
            data.splice(to..to, piece);
        }
        4 => {
            let from = random.below(other.len() + 1);
            let length = random.below(other.len() - from + 1);
            data.splice(at..at, other[from..from + length].iter().copied());
        }
        5 => data.insert(at, random.octet()),
        _ => drop(data.splice(at..at, WORDS[random.below(WORDS.len())].iter().copied())),
    }
}
