//! Connections: the port, TLS, content negotiation.

pub(crate) mod listener;
pub(crate) mod negotiation;
pub(crate) mod tls;
