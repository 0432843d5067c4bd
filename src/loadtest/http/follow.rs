//! One request and the redirects it leads to, until an answer that is none.
//!
//! Redirects below the target's own host use the connections of the pool. Others have a new connection each, over
//! HTTP/1.1 and within the same limit: a load test is about its target, not about what stands behind a link.

use std::{cell::RefCell, collections::BTreeMap, path::Path, rc::Rc, time::Duration};

use url::Url;

use super::{
    Answer, Exchange, Failure, Outgoing, Own, Pool, Protocol, Target,
    exchange::{Exchanged, exchange, length, read},
    http1,
    redirect::{self, MOST_REDIRECTS, Next},
};
use crate::loadtest::clock::RunClock;

/// Other hosts that redirects may lead to, in one run.
const MOST_HOSTS: usize = 16;

/// Follows the redirects of one thread, and knows the hosts they led to.
#[derive(Debug, Default)]
pub struct Follower {
    hosts: RefCell<BTreeMap<String, Rc<Target>>>,
}

/// How a request is sent and its answers are read.
#[derive(Clone, Copy, Debug)]
pub struct Asking<'a> {
    /// Connections to the target.
    pub pool: &'a Pool,
    /// Whether the body of the last answer is kept.
    pub keep_body: bool,
    /// Time for the request and all that it leads to.
    pub timeout: Duration,
    /// The time axis.
    pub clock: RunClock,
}

impl Follower {
    /// Sends a request, follows the redirects it leads to, and gives back the last answer, all within the timeout. It was
    /// sent when the first request was.
    pub async fn exchange(
        &self,
        asking: Asking<'_>,
        mut own: Option<&mut Own>,
        first: &Outgoing,
    ) -> Exchange {
        let until = asking.clock.elapsed() + asking.timeout;
        let mut exchanged = asking.exchange(own.as_deref_mut(), first, asking.timeout).await;
        // Most answers are none, and cost nothing more.
        if !exchanged.answer.as_ref().is_ok_and(redirect::is_one) {
            return exchanged;
        }
        let Ok(home) = asking.pool.target().url_of(first) else {
            return exchanged;
        };
        let (mut here, mut outgoing) = (home.clone(), first.clone());
        for redirects in 0..=MOST_REDIRECTS {
            let Ok(answer) = &exchanged.answer else {
                break;
            };
            let next = match redirect::next(answer, &here, &outgoing) {
                Ok(None) => break,
                Ok(Some(next)) if redirects < MOST_REDIRECTS => next,
                Ok(Some(_)) => {
                    exchanged.answer = Err(Failure::Redirect("more than 10 in a row"));
                    break;
                }
                Err(failure) => {
                    exchanged.answer = Err(failure);
                    break;
                }
            };
            let left = until.saturating_sub(asking.clock.elapsed());
            exchanged.answer = if next.url.origin() == home.origin() {
                self.at_home(asking, own.as_deref_mut(), first, &next, left, &mut exchanged)
                    .await
            } else {
                let elsewhere = self.elsewhere(asking, own.as_deref_mut(), &next, &mut exchanged.traffic);
                let answered = tokio::time::timeout(left, elsewhere).await;
                answered.unwrap_or(Err(Failure::Timeout(left)))
            };
            (here, outgoing) = (next.url, next.outgoing);
        }
        if let Err(Failure::Timeout(_)) = exchanged.answer {
            exchanged.answer = Err(Failure::Timeout(asking.timeout));
        }
        exchanged
    }

    /// Sends the request that a redirect below the target's host leads to.
    async fn at_home(
        &self,
        asking: Asking<'_>,
        own: Option<&mut Own>,
        first: &Outgoing,
        next: &Next,
        timeout: Duration,
        exchanged: &mut Exchange,
    ) -> Result<Answer, Failure> {
        let outgoing = next.home(first)?;
        let hop = asking.exchange(own, &outgoing, timeout).await;
        exchanged.traffic.then(hop.traffic);
        exchanged.retried |= hop.retried;
        hop.answer
    }

    /// Sends the request that a redirect to another host leads to.
    async fn elsewhere(
        &self,
        asking: Asking<'_>,
        own: Option<&mut Own>,
        next: &Next,
        traffic: &mut Exchanged,
    ) -> Result<Answer, Failure> {
        let target = self.host(asking.pool.target(), &next.url)?;
        let outgoing = next.elsewhere()?;
        let mut reserved = asking.pool.reserve(own).await?;
        let stream = reserved.connect(&target).await?;
        let (mut sender, connection) = http1::handshake(stream).await?;
        // It ends when its sender is dropped; whoever sends on it learns what went wrong.
        tokio::task::spawn_local(connection);
        let response = sender.send_request(outgoing.request()).await;
        let (parts, body) = response
            .map_err(|error| Failure::connection(&error))?
            .into_parts();
        traffic.then(Exchanged {
            status: Some(parts.status.as_u16()),
            sent_bytes: length(&outgoing.body),
            received_bytes: 0,
        });
        Ok(Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: read(body, asking.keep_body, &mut traffic.received_bytes).await?,
        })
    }

    /// Another host, to be asked over HTTP/1.1 and trusted like the target.
    fn host(&self, home: &Target, url: &Url) -> Result<Rc<Target>, Failure> {
        let origin = url.origin().ascii_serialization();
        let mut hosts = self.hosts.borrow_mut();
        if let Some(target) = hosts.get(&origin) {
            return Ok(target.clone());
        }
        if hosts.len() >= MOST_HOSTS {
            return Err(Failure::Redirect("to more than 16 other hosts"));
        }
        let mut target = Target::parse(&origin, Protocol::Http1, &home.trust, Path::new("--cacert"))
            .map_err(|_| Failure::Redirect("to a host that cannot be asked"))?;
        target.resolver = home.resolver.clone();
        let target = Rc::new(target);
        hosts.insert(origin, target.clone());
        Ok(target)
    }
}

impl Asking<'_> {
    /// One request and its answer, whatever it is; on the user's own connection, where it has one.
    pub async fn exchange(&self, own: Option<&mut Own>, outgoing: &Outgoing, timeout: Duration) -> Exchange {
        exchange(self.pool, own, outgoing, self.keep_body, timeout, self.clock).await
    }
}
