//! The tests of sansip: see the folders beside this file, one binary a folder. The programs in the README are tested here.

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
