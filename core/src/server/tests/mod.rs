//! The server, driven by hand-written datagrams in virtual time.
