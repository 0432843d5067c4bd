//! Connections of clients: the secure port, TLS, and content negotiation.

pub(crate) mod listener;
pub(crate) mod negotiation;
pub(crate) mod tls;
