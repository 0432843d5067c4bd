//! The moment at which all workers begin: worker 0 waits until every other one has come, asks all whether they are
//! still there, and then tells all to begin. Clocks of nodes are not compared, so none has to be right.
//!
//! Only who knows the token of the Job is heard. Must not: wait without a limit for a line of somebody.

use std::{collections::BTreeMap, io, net::SocketAddr, time::Duration};

use futures::future::join_all;
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::token::Token;

/// Longest line of the talk.
const LONGEST: u64 = 256;
/// Longest wait for one line.
const PATIENCE: Duration = Duration::from_secs(5);
/// Time between two attempts to reach worker 0.
const AGAIN: Duration = Duration::from_millis(200);
/// Most connections that have not said yet who they are.
const STRANGERS: usize = 256;

const ASKED: &str = "here?";
const HERE: &str = "here";
const BEGIN: &str = "begin";

/// What a worker knows of the others.
#[derive(Clone, Serialize, Deserialize)]
#[expect(
    clippy::unsafe_derive_deserialize,
    reason = "the unsafe code is in what select! expands to"
)]
pub struct Barrier {
    /// Where worker 0 is reached.
    pub meet: SocketAddr,
    /// The secret of the Job.
    pub token: String,
    /// How many workers there are.
    pub workers: u32,
    /// Longest wait for all of them, in seconds.
    pub within: u64,
}

/// Why the load does not begin.
#[derive(Debug, thiserror::Error)]
pub enum BarrierError {
    /// Worker 0 cannot listen.
    #[error("worker 0 cannot listen on port {port}: {source}")]
    Listen {
        /// The TCP port at which the others come to it.
        port: u16,
        /// The error of the operating system.
        #[source]
        source: io::Error,
    },
    /// Not all workers came in time.
    #[error("{0} of {1} workers came within {2} s; the load was not begun")]
    Missing(usize, u32, u64),
    /// Worker 0 did not tell this worker to begin.
    #[error(
        "worker 0 at {0} did not say within {1} s that all workers are ready ({2}); does a NetworkPolicy keep the pods of the Job apart? The load was not begun"
    )]
    NotTold(SocketAddr, u64, String),
}

impl Barrier {
    /// Waits until all workers are ready. `index` is the number of this one.
    ///
    /// # Errors
    /// When not all are ready in time.
    pub async fn pass(&self, index: u32) -> Result<(), BarrierError> {
        if index == 0 {
            let any = SocketAddr::new(unspecified(self.meet), self.meet.port());
            let listen = |source| BarrierError::Listen {
                port: self.meet.port(),
                source,
            };
            let listener = TcpListener::bind(any).await.map_err(listen)?;
            return self.lead(listener).await;
        }
        let mut last = "nothing was tried".to_owned();
        let told = async {
            while let Err(error) = self.follow(index).await {
                last = error.to_string();
                sleep(AGAIN).await;
            }
        };
        let limit = Duration::from_secs(self.within);
        let told = timeout(limit, told).await;
        told.map_err(|_| BarrierError::NotTold(self.meet, self.within, last))
    }

    /// Waits for all others on this listener, and tells them to begin.
    async fn lead(&self, listener: TcpListener) -> Result<(), BarrierError> {
        let mut came = BTreeMap::new();
        let all = timeout(
            Duration::from_secs(self.within),
            self.gather(&listener, &mut came),
        );
        match all.await {
            Ok(()) => {
                join_all(came.values_mut().map(|talk| say(talk, BEGIN))).await;
                Ok(())
            }
            // Worker 0 has come itself.
            Err(_) => Err(BarrierError::Missing(came.len() + 1, self.workers, self.within)),
        }
    }

    /// Gathers the connections of all other workers, each of which answers at the end.
    async fn gather(&self, listener: &TcpListener, came: &mut BTreeMap<u32, Talk>) {
        let others = 1..self.workers;
        let Ok(token) = Token::known(&self.token) else {
            // Without random numbers no token can be compared. The wait ends with its limit.
            return std::future::pending().await;
        };
        let token = std::sync::Arc::new(token);
        let mut strangers = JoinSet::new();
        loop {
            if came.len() == others.len() && ask(came).await {
                return;
            }
            tokio::select! {
                accepted = listener.accept(), if strangers.len() < STRANGERS => match accepted {
                    Ok((stream, _)) => {
                        strangers.spawn(introduced(stream, token.clone()));
                    }
                    // Such as too many open files: others may close theirs.
                    Err(_) => sleep(AGAIN).await,
                },
                Some(known) = strangers.join_next() => {
                    if let Ok(Some((index, talk))) = known
                        && others.contains(&index)
                    {
                        // The newer connection of a worker counts: it gave up the older one.
                        came.insert(index, talk);
                    }
                }
            }
        }
    }

    /// Comes to worker 0, and stays until it says that all begin.
    async fn follow(&self, index: u32) -> io::Result<()> {
        let stream = timeout(PATIENCE, TcpStream::connect(self.meet)).await??;
        stream.set_nodelay(true)?;
        let mut talk = BufReader::new(stream);
        say(&mut talk, &format!("{} {index}", self.token)).await?;
        loop {
            match hear(&mut talk).await?.as_str() {
                ASKED => say(&mut talk, HERE).await?,
                BEGIN => return Ok(()),
                "" => return Err(io::Error::other("it closed the connection")),
                other => return Err(io::Error::other(format!("it said {other:?}"))),
            }
        }
    }
}

impl std::fmt::Debug for Barrier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Barrier")
            .field("meet", &self.meet)
            .field("workers", &self.workers)
            .finish_non_exhaustive()
    }
}

type Talk = BufReader<TcpStream>;

/// Any address of this machine, of the family of another one.
fn unspecified(like: SocketAddr) -> std::net::IpAddr {
    match like {
        SocketAddr::V4(_) => std::net::Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
    }
}

/// The worker at the other end; `None` if it does not know the token.
async fn introduced(stream: TcpStream, token: std::sync::Arc<Token>) -> Option<(u32, Talk)> {
    stream.set_nodelay(true).ok()?;
    let mut talk = BufReader::new(stream);
    let line = timeout(PATIENCE, hear(&mut talk)).await.ok()?.ok()?;
    let (given, index) = line.split_once(' ')?;
    let index = index.parse().ok()?;
    token.is(given).then_some((index, talk))
}

/// Asks all whether they are still there. Those that do not answer are taken out, and the result is `false`.
async fn ask(came: &mut BTreeMap<u32, Talk>) -> bool {
    let answers = came.iter_mut().map(|(index, talk)| async move {
        let answered = async {
            say(talk, ASKED).await?;
            hear(talk).await
        };
        let here = timeout(PATIENCE, answered).await;
        (*index, matches!(here, Ok(Ok(line)) if line == HERE))
    });
    let gone: Vec<u32> = join_all(answers)
        .await
        .into_iter()
        .filter_map(|(index, here)| (!here).then_some(index))
        .collect();
    for index in &gone {
        came.remove(index);
    }
    gone.is_empty()
}

async fn say(talk: &mut Talk, line: &str) -> io::Result<()> {
    talk.get_mut().write_all(format!("{line}\n").as_bytes()).await
}

/// The next line without its end; empty where the connection was closed.
async fn hear(talk: &mut Talk) -> io::Result<String> {
    let mut line = String::new();
    talk.take(LONGEST).read_line(&mut line).await?;
    Ok(line.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    };

    use super::*;

    async fn barrier(workers: u32, within: u64) -> (Barrier, TcpListener) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let barrier = Barrier {
            meet: listener.local_addr().unwrap(),
            token: "t0ken".to_owned(),
            workers,
            within,
        };
        (barrier, listener)
    }

    #[tokio::test]
    async fn none_begins_before_the_last_has_come() {
        let (barrier, listener) = barrier(4, 60).await;
        let begun = Arc::new(AtomicU32::new(0));
        let mut running = JoinSet::new();
        let start = |running: &mut JoinSet<()>, index: u32| {
            let (barrier, begun) = (barrier.clone(), begun.clone());
            running.spawn(async move {
                barrier.pass(index).await.unwrap();
                begun.fetch_add(1, Ordering::SeqCst);
            });
        };
        let leader = barrier.clone();
        let leading = tokio::spawn(async move { leader.lead(listener).await });
        start(&mut running, 1);
        start(&mut running, 2);
        // One that came and died does not count, and neither do those who do not know the token.
        drop(TcpStream::connect(barrier.meet).await.unwrap());
        for line in ["t0ken 3", "wrong 3", "t0ken 9", "t0ken x", ""] {
            let mut stranger = TcpStream::connect(barrier.meet).await.unwrap();
            stranger.write_all(format!("{line}\n").as_bytes()).await.unwrap();
            drop(stranger);
        }
        let early = timeout(Duration::from_millis(300), running.join_next()).await;
        assert!(early.is_err() && begun.load(Ordering::SeqCst) == 0);
        start(&mut running, 3);
        leading.await.unwrap().unwrap();
        while let Some(ended) = running.join_next().await {
            ended.unwrap();
        }
        assert_eq!(begun.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn a_wait_ends_and_says_who_is_missing() {
        let (barrier, listener) = barrier(3, 1).await;
        let (leader, follower) = (barrier.clone(), barrier.clone());
        let following = tokio::spawn(async move { follower.pass(1).await });
        let led = leader.lead(listener).await.unwrap_err().to_string();
        assert!(led.starts_with("2 of 3 workers came within 1 s"), "{led}");
        let told = following.await.unwrap().unwrap_err().to_string();
        assert!(told.contains("NetworkPolicy"), "{told}");
    }

    #[tokio::test]
    async fn one_worker_waits_for_nobody() {
        let (barrier, listener) = barrier(1, 1).await;
        barrier.lead(listener).await.unwrap();
    }
}
