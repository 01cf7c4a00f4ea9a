//! The rules of the house, as tests: which crate may know which, and how large a room may be.
