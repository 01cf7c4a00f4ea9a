//! QoS Profiles: what quality there is.

pub(in crate::http) mod get;
pub(in crate::http) mod retrieve;
