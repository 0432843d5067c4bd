//! HTTP connections of the load engine, one pool for each of its threads: nothing here is shared between threads.
//!
//! ```text
//! target   where requests go, and how           connect  one TCP and TLS connection
//! pool     idle connections, opened as needed   exchange one request and its whole answer
//! failure  why a request was not answered as it should be
//! redirect where an answer leads                follow   one request and the redirects it leads to, on request
//! decode   bodies without their encodings       credentials  user and password in a URL
//! ```
//!
//! Must not: retry what was sent, keep cookies. What is measured is one request and one answer.

mod connect;
mod credentials;
mod decode;
mod exchange;
mod failure;
mod follow;
mod http1;
mod http2;
mod insecure;
mod pool;
mod redirect;
mod target;

pub use self::{
    connect::{BoxedStream, connect},
    credentials::masked,
    decode::decoded,
    exchange::{Answer, Exchange, Exchanged, LARGEST_BODY, Outgoing, exchange},
    failure::{Detail, Failure, Lost, Refusal, System, in_words},
    follow::{Asking, Follower},
    pool::{Limits, Pool, Reserved, Usage},
    target::{Protocol, Target, TargetError, TlsOptions},
};
