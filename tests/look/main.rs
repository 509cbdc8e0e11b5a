//! Pages and pictures in a browser: Debian's chromium, driven by chromedriver.
//!
//! Where they are not installed this is said and the tests pass; with `SANSIP_LIVE=require` they fail then. The screenshots that a run takes are kept in
//! `look` in the folder for temporary files of the target folder.

#![expect(clippy::disallowed_methods, reason = "a browser runs in real time")]

mod browser;
mod diagrams;
mod layout;
mod page;
mod samples;
