//! HTTP connections of the load engine, one pool for each of its threads: nothing here is shared between threads.
//!
//! ```text
//! target     where requests go, and how           address    the addresses of a name, in turn
//! connect    one TCP and TLS connection           dialer     opens connections within the limit
//! wire       what was heard on a connection       http1, http2  the connections that requests share
//! pool       the connection for each request      exchange   one request and its whole answer
//! unanswered when a request is sent once more     failure    why a request was not answered as it should be
//! redirect   where an answer leads                follow     one request and the redirects it leads to, on request
//! upload     one that the server does not read
//! decode     bodies without their encodings       credentials  user and password in a URL
//! ```
//!
//! Must not: repeat what a server may have done, keep cookies. What is measured is one request and one answer.

mod address;
mod connect;
mod credentials;
mod decode;
mod dialer;
mod exchange;
mod failure;
mod follow;
mod http1;
mod http2;
mod insecure;
mod pool;
mod redirect;
mod target;
mod unanswered;
mod upload;
mod wire;

pub use self::{
    address::{Resolve, SystemResolver},
    connect::BoxedStream,
    credentials::masked,
    decode::decoded,
    dialer::{Limits, Usage},
    exchange::{Answer, Exchange, Exchanged, LARGEST_BODY, Outgoing, exchange},
    failure::{Detail, Failure, Lost, Refusal, System, in_words},
    follow::{Asking, Follower},
    pool::{Own, Pool, Reserved},
    target::{Protocol, Target, TargetError, TlsOptions},
};
