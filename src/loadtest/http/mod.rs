//! HTTP connections of the load engine. Each thread has its own pool; nothing here is shared between threads.
//!
//! ```text
//! target     where requests go, and how           address    the addresses of a name, in turn
//! connect    one TCP and TLS connection           dialer     opens connections to one target
//! slots      how many connections there may be
//! tunnel     a connection through a proxy
//! wire       counts the bytes that were received  http1, http2  the connections that requests share
//! pool       the connection for each request      exchange   one request and its whole answer
//! unanswered when a request is sent once more     failure    why a request failed
//! redirect   where a redirect leads               follow     one request and its redirects
//! outgoing   a request that is ready, and in flight  resolve  how names become addresses
//! upload     keeps the answer to a refused upload
//! decode     bodies without their encodings       credentials  user and password in a URL
//! cookies    the cookies of one user
//! ```
//!
//! This module must not repeat a request that the server may have processed, and keeps no cookies but in the
//! jar of a user who wants that. What is measured is one request and one answer.

mod address;
mod connect;
mod cookies;
mod credentials;
mod decode;
mod dialer;
mod exchange;
mod failure;
mod follow;
mod http1;
mod http2;
mod insecure;
mod outgoing;
mod pool;
mod redirect;
mod resolve;
mod slots;
mod target;
mod tunnel;
mod unanswered;
mod upload;
mod wire;

pub(crate) use self::credentials::url_of_host;
pub use self::{
    connect::BoxedStream,
    cookies::{Jar, Place, set_by},
    credentials::masked,
    decode::decoded,
    exchange::{Answer, Exchange, Exchanged, LARGEST_BODY, exchange},
    failure::{Detail, Failure, Lost, Refusal, System, in_words},
    follow::{Asking, Follower},
    outgoing::Outgoing,
    pool::{Own, Pool, Reserved},
    resolve::{Resolve, SystemResolver},
    slots::{Limits, Usage},
    target::{Identity, Protocol, Target, TargetError, TlsOptions},
};
