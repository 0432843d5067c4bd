//! One request and its redirects, up to the first answer that is no redirect.
//!
//! Redirects within the target's own origin use the connections of the pool. A redirect to another host opens
//! a new connection over HTTP/1.1, within the same limit: a load test is about its target, not about other
//! hosts.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, time::Duration};

use hyper::HeaderMap;
use url::Url;

use super::{
    Answer, Exchange, Failure, Jar, Outgoing, Own, Place, Pool, Protocol, Target,
    exchange::{Exchanged, exchange, length, read},
    http1,
    redirect::{self, MOST_REDIRECTS, Next},
};
use crate::clock::RunClock;

/// The greatest number of other hosts that redirects may lead to in one run.
const MOST_HOSTS: usize = 16;

/// Follows the redirects of one thread. It remembers the hosts to which they led.
#[derive(Debug, Default)]
pub struct Follower {
    hosts: RefCell<BTreeMap<String, Rc<Target>>>,
}

/// Sends requests and reads their answers.
#[derive(Clone, Copy, Debug)]
pub struct Asking<'a> {
    /// Connections to the target.
    pub pool: &'a Pool,
    /// Whether to keep the body of the last answer.
    pub keep_body: bool,
    /// Time limit for the request with all its redirects.
    pub timeout: Duration,
    /// Time axis of the run.
    pub clock: RunClock,
    /// The cookies of the user, where it keeps them.
    pub cookies: Option<&'a RefCell<Jar>>,
}

impl Follower {
    /// Sends a request, follows its redirects and returns the last answer, all within the timeout. `sent` is
    /// the moment at which the first request was sent.
    pub async fn exchange(
        &self,
        asking: Asking<'_>,
        mut own: Option<&mut Own>,
        first: &Outgoing,
    ) -> Exchange {
        let until = asking.clock.elapsed() + asking.timeout;
        let mut exchanged = asking.exchange(own.as_deref_mut(), first, asking.timeout).await;
        // Most answers are no redirects; they must not pay for the steps below.
        if !exchanged.answer.as_ref().is_ok_and(redirect::is_one) {
            return exchanged;
        }
        let Ok(target_url) = asking.pool.target().url_of(first) else {
            return exchanged;
        };
        let (mut here, mut outgoing) = (target_url.clone(), first.clone());
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
            // All requests of the chain share one timeout.
            let left = until.saturating_sub(asking.clock.elapsed());
            exchanged.answer = if next.url.origin() == target_url.origin() {
                self.to_target(asking, own.as_deref_mut(), first, &next, left, &mut exchanged)
                    .await
            } else {
                let answer = self.to_other_host(asking, own.as_deref_mut(), &next, &mut exchanged.traffic);
                let answered = tokio::time::timeout(left, answer).await;
                answered.unwrap_or(Err(Failure::Timeout(left)))
            };
            (here, outgoing) = (next.url, next.outgoing);
        }
        // What timed out is the chain, so the failure names the timeout of the chain and not the rest that
        // was left.
        if let Err(Failure::Timeout(_)) = exchanged.answer {
            exchanged.answer = Err(Failure::Timeout(asking.timeout));
        }
        exchanged
    }

    /// Sends the request of a redirect within the target's own origin.
    async fn to_target(
        &self,
        asking: Asking<'_>,
        own: Option<&mut Own>,
        first: &Outgoing,
        next: &Next,
        timeout: Duration,
        exchanged: &mut Exchange,
    ) -> Result<Answer, Failure> {
        let outgoing = next.for_target(first)?;
        let hop = asking.exchange(own, &outgoing, timeout).await;
        exchanged.traffic.then(hop.traffic);
        exchanged.retried |= hop.retried;
        hop.answer
    }

    /// Sends the request of a redirect to another host.
    async fn to_other_host(
        &self,
        asking: Asking<'_>,
        own: Option<&mut Own>,
        next: &Next,
        traffic: &mut Exchanged,
    ) -> Result<Answer, Failure> {
        let target = self.host(asking.pool.target(), &next.url)?;
        let outgoing = asking.with_cookies(next.for_other_host()?, &target);
        let mut reserved = asking.pool.reserve(own).await?;
        let stream = reserved.connect(&target).await?;
        let (mut sender, connection) = http1::handshake(stream).await?;
        // The task ends when its sender is dropped. An error of the connection also reaches the request that
        // is sent on it.
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
        let answer = Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: read(body, asking.keep_body, &mut traffic.received_bytes).await?,
        };
        asking.keep_cookies(&answer.headers, &outgoing, &target);
        Ok(answer)
    }

    /// Another host. It is addressed over HTTP/1.1, with the same trusted certificates as the target.
    fn host(&self, own: &Target, url: &Url) -> Result<Rc<Target>, Failure> {
        let origin = url.origin().ascii_serialization();
        let mut hosts = self.hosts.borrow_mut();
        if let Some(target) = hosts.get(&origin) {
            return Ok(target.clone());
        }
        if hosts.len() >= MOST_HOSTS {
            return Err(Failure::Redirect("to more than 16 other hosts"));
        }
        let target = own.another(&origin, Protocol::Http1);
        let target = target.map_err(|_| Failure::Redirect("to a host that cannot be asked"))?;
        let target = Rc::new(target);
        hosts.insert(origin, target.clone());
        Ok(target)
    }
}

impl Asking<'_> {
    /// Sends one request and returns its answer, even if that is a redirect. Uses the user's own connection
    /// if there is one.
    pub async fn exchange(&self, own: Option<&mut Own>, outgoing: &Outgoing, timeout: Duration) -> Exchange {
        let (pool, keep, clock) = (self.pool, self.keep_body, self.clock);
        if self.cookies.is_none() {
            return exchange(pool, own, outgoing, keep, timeout, clock).await;
        }
        let target = pool.target();
        let outgoing = self.with_cookies(outgoing.clone(), target);
        let exchange = exchange(pool, own, &outgoing, keep, timeout, clock).await;
        if let Ok(answer) = &exchange.answer {
            self.keep_cookies(&answer.headers, &outgoing, target);
        }
        exchange
    }

    /// The request with the cookies that the user has for where it goes.
    fn with_cookies(&self, mut outgoing: Outgoing, target: &Target) -> Outgoing {
        if let Some(jar) = self.cookies {
            let place = Place::of(&outgoing.headers, &outgoing.uri, target);
            let now = self.clock.time_of_day();
            if let Some(headers) = jar.borrow().added_to(&outgoing.headers, place, now) {
                outgoing.headers = Rc::new(headers);
            }
        }
        outgoing
    }

    /// Keeps the cookies of an answer.
    fn keep_cookies(&self, headers: &HeaderMap, outgoing: &Outgoing, target: &Target) {
        if let Some(jar) = self.cookies {
            let place = Place::of(&outgoing.headers, &outgoing.uri, target);
            let now = self.clock.time_of_day();
            jar.borrow_mut().keep(headers, place, now);
        }
    }
}
