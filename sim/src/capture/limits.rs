//! Bounds on what a capture makes its reader remember.

/// Bounds on what a capture makes its reader remember. The messages themselves are bounded by
/// [`sansip::message::Limits`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Octets of one block of a file. 1,048,576; a larger one ends the reading of the file.
    pub block: usize,
    /// Interfaces that a section of a pcapng file describes. 4,096; one more ends the reading of the file.
    pub interfaces: usize,
    /// Datagrams whose fragments are waited for at once. 256; one more takes the place of the oldest.
    pub datagrams: usize,
    /// Directions of TCP connections that are put together at once. 16,384; one more takes the place of those not heard of for longest.
    pub streams: usize,
    /// Octets of one direction that wait for what is missing before them. 262,144; with more the missing octets count as not captured.
    pub waiting: usize,
    /// Octets of all directions together that wait, or belong to a message that is not yet whole. 67,108,864; above it those not heard of for longest
    /// are let go.
    pub held: usize,
    /// Calls that are kept at once. 10,000; one more takes the place of the oldest, which counts as let go.
    pub calls: usize,
    /// Octets of the lines of traces that are no messages: what nodes say, and what stands in them. 67,108,864; those that follow are counted and not kept.
    pub remarks: usize,
    /// Messages of one call. 10,000; one with more is let go.
    pub messages: usize,
    /// Addresses between which messages went that could not be read, and listeners of connections' ends. 65,536; above it all addresses count as
    /// such, and the oldest ends are forgotten.
    pub hidden: usize,
    /// Octets of all messages that are kept. 268,435,456; above it the oldest call is let go.
    pub octets: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            block: 1 << 20,
            interfaces: 4_096,
            datagrams: 256,
            streams: 16_384,
            waiting: 1 << 18,
            held: 1 << 26,
            calls: 10_000,
            remarks: 1 << 26,
            messages: 10_000,
            hidden: 1 << 16,
            octets: 1 << 28,
        }
    }
}
