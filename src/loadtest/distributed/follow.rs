//! Follows the log of one worker, as `kubectl logs -f` does, from its beginning to the end of its pod.
//!
//! A connection that breaks is made again, and the log read again from its beginning. Must not: end before the log was
//! read once as a whole after the container had ended.

use std::time::Duration;

use futures::{AsyncBufRead, AsyncBufReadExt as _};
use k8s_openapi::api::core::v1::Pod;
use kube::{Api, api::LogParams};
use tokio::{sync::mpsc, time::sleep};

use super::{lines::LONGEST, objects::CONTAINER, pod};
use vas_cluster::request::answer;

/// Time between two attempts.
const AGAIN: Duration = Duration::from_secs(1);
/// Attempts in a row that fail before the log is given up.
const ATTEMPTS: u32 = 60;

/// What is heard of a log.
#[derive(Debug)]
pub(super) enum News {
    /// It is read from its beginning.
    Begins,
    /// Its next line.
    Line(String),
    /// There is no more, and why.
    Ended {
        /// In words.
        why: String,
    },
}

/// News of a worker, by its number.
pub(super) type Heard = mpsc::Sender<(u32, News)>;

/// Follows the log of the pod of this worker to its end, or until nobody listens.
pub(super) async fn follow(pods: Api<Pod>, name: String, worker: u32, heard: Heard) {
    let mut failed = 0;
    loop {
        // Only a log that is read after the container had ended is known to be whole.
        let end = end(&pods, &name).await;
        let read = read(&pods, &name, worker, &heard).await;
        if heard.is_closed() {
            return;
        }
        failed = if read.is_ok() { 0 } else { failed + 1 };
        let ended = match (end, read) {
            (Some(end), Ok(())) => Some(end.why),
            (Some(end), Err(_)) if end.is_gone => Some(end.why),
            (_, Err(error)) if failed >= ATTEMPTS => Some(format!("its log cannot be read: {error}")),
            _ => None,
        };
        if let Some(why) = ended {
            // Nobody listens any more where this fails.
            let _ = heard.send((worker, News::Ended { why })).await;
            return;
        }
        sleep(AGAIN).await;
    }
}

struct End {
    why: String,
    is_gone: bool,
}

/// How the pod ended; `None` while it goes on, and where the API server does not say.
async fn end(pods: &Api<Pod>, name: &str) -> Option<End> {
    match answer("read the pod", pods.get_opt(name)).await.ok()? {
        Some(pod) => Some(End {
            why: pod::ended(&pod)?,
            is_gone: false,
        }),
        None => Some(End {
            why: "its pod is gone: it was deleted".to_owned(),
            is_gone: true,
        }),
    }
}

/// Why a log could not be read to its end.
#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error(transparent)]
    Api(#[from] kube::Error),
    #[error(transparent)]
    Stream(#[from] std::io::Error),
    #[error("nobody listens")]
    Closed,
}

/// Reads the log from its beginning, for as long as lines come.
async fn read(pods: &Api<Pod>, name: &str, worker: u32, heard: &Heard) -> Result<(), ReadError> {
    let all = LogParams {
        follow: true,
        container: Some(CONTAINER.to_owned()),
        ..LogParams::default()
    };
    let stream = pods.log_stream(name, &all).await?;
    futures::pin_mut!(stream);
    let send = async |news| heard.send((worker, news)).await.map_err(|_| ReadError::Closed);
    send(News::Begins).await?;
    let mut line = Vec::new();
    while next_line(&mut stream, &mut line).await? {
        send(News::Line(String::from_utf8_lossy(&line).into_owned())).await?;
    }
    Ok(())
}

/// Reads the next line without its end; of a longer one than any of a worker, the beginning. The result is `false` at
/// the end of the stream.
async fn next_line(stream: &mut (impl AsyncBufRead + Unpin), line: &mut Vec<u8>) -> std::io::Result<bool> {
    line.clear();
    let mut any = false;
    loop {
        let bytes = stream.fill_buf().await?;
        if bytes.is_empty() {
            return Ok(any);
        }
        any = true;
        let end = memchr::memchr(b'\n', bytes);
        let part = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or(bytes);
        let room = LONGEST.saturating_sub(line.len());
        line.extend_from_slice(part.get(..room).unwrap_or(part));
        let used = part.len() + usize::from(end.is_some());
        stream.consume_unpin(used);
        if end.is_some() {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_are_read_and_of_a_long_one_the_beginning() {
        let long = "x".repeat(LONGEST + 5);
        let text = format!("one\n\n{long}\nlast");
        let mut stream = futures::io::BufReader::with_capacity(7, text.as_bytes());
        let (mut line, mut lines) = (Vec::new(), Vec::new());
        while next_line(&mut stream, &mut line).await.unwrap() {
            lines.push(String::from_utf8(line.clone()).unwrap());
        }
        assert_eq!(lines, ["one", "", &long[..LONGEST], "last"]);
    }
}
