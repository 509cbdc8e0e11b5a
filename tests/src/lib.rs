//! The tests of sansip: see the folders beside this file.
