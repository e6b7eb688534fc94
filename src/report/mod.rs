//! Reports as bytes, one file for each format.
