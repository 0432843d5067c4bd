//! HTTP connections of the load engine, one pool for each of its threads: nothing here is shared between threads.
//!
//! ```text
//! target   where requests go, and how           connect  one TCP and TLS connection
//! pool     idle connections, opened as needed   exchange one request and its whole answer
//! failure  why a request was not answered as it should be
//! ```
//!
//! Must not: retry what was sent, follow redirects, keep cookies. What is measured is one request and one answer.

mod connect;
mod exchange;
mod failure;
mod http1;
mod http2;
mod insecure;
mod pool;
mod target;

pub use self::{
    connect::{BoxedStream, connect},
    exchange::{Answer, Exchange, Outgoing, exchange},
    failure::{Failure, in_words},
    pool::{Limits, Pool, Reserved, Usage},
    target::{Protocol, Target, TargetError, TlsOptions},
};
