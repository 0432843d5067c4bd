//! A PostgreSQL or a Redis of the tests. It ends with the test process, whatever becomes of that: its script reads our end of
//! a pipe.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use sqlx::{Connection as _, PgConnection};
use tempfile::TempDir;
use tokio::net::TcpStream;

use super::wait::until;

/// A server. Dropped, it ends, and its folder is removed.
pub(crate) struct Server {
    kind: &'static str,
    child: Child,
    directory: TempDir,
    /// Megabytes of its disk, if that is a small one of its own.
    disk: Option<u32>,
    /// The port of 127.0.0.1 that it listens on.
    pub(crate) port: u16,
}

impl Server {
    pub(crate) async fn postgres() -> Self {
        Self::start("postgres", None).await
    }

    /// A PostgreSQL whose disk has so many megabytes; nothing where such a disk cannot be had.
    pub(crate) async fn postgres_on_a_disk_of(megabytes: u32) -> Option<Self> {
        let status = Command::new(script()).arg("small").status();
        if status.expect("tests/servers.sh runs").success() {
            Some(Self::start("postgres", Some(megabytes)).await)
        } else {
            None
        }
    }

    pub(crate) async fn redis() -> Self {
        Self::start("redis", None).await
    }

    async fn start(kind: &'static str, disk: Option<u32>) -> Self {
        let directory = tempfile::Builder::new().prefix("voiceassist-").tempdir().unwrap();
        // PostgreSQL runs as another user where we are root.
        let everybody = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(directory.path(), everybody).unwrap();
        let port = free_port();
        let mut server = Self {
            kind,
            child: run(kind, directory.path(), port, disk),
            directory,
            disk,
            port,
        };
        server.answers().await;
        server
    }

    /// Starts it again, on the same port and with what it had stored.
    pub(crate) async fn start_again(&mut self) {
        fs::write(self.directory.path().join("keep"), "").unwrap();
        self.end();
        self.child = run(self.kind, self.directory.path(), self.port, self.disk);
        self.answers().await;
    }

    /// Kills PostgreSQL's first process as `kill -9` does; the others notice, and end.
    pub(crate) fn kill(&self) {
        if let Some(pid) = self.postmaster() {
            let _ = kill_process(pid, Signal::KILL);
        }
    }

    /// A file on its small disk.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        let process = PathBuf::from(format!("/proc/{}/root", self.child.id()));
        let directory = self.directory.path().strip_prefix("/").unwrap();
        process.join(directory).join(name)
    }

    /// Lets Redis stand still (`STOP`) or go on (`CONT`).
    pub(crate) fn signal_redis(&self, signal: Signal) {
        kill_process(self.redis_process().expect("Redis runs"), signal).unwrap();
    }

    /// The process of Redis.
    pub(crate) fn redis_process(&self) -> Option<Pid> {
        let script = self.child.id();
        let children = fs::read_to_string(format!("/proc/{script}/task/{script}/children")).ok()?;
        let redis = children.split_whitespace().find(|child| {
            let name = fs::read_to_string(format!("/proc/{child}/comm")).unwrap_or_default();
            name.starts_with("redis")
        });
        Pid::from_raw(redis?.parse().ok()?)
    }

    /// The first process of PostgreSQL.
    pub(crate) fn postmaster(&self) -> Option<Pid> {
        let text = fs::read_to_string(self.directory.path().join("data/postmaster.pid")).ok()?;
        Pid::from_raw(text.lines().next()?.trim().parse().ok()?)
    }

    /// Waits until it takes connections. PostgreSQL does not start while processes of a killed one are about: then again.
    async fn answers(&mut self) {
        let url = super::database_url(self.port, "postgres");
        until(&format!("{} answers", self.kind), async || {
            if self.child.try_wait().unwrap().is_some() {
                self.child = run(self.kind, self.directory.path(), self.port, self.disk);
            }
            match self.kind {
                "postgres" => PgConnection::connect(&url).await.ok().map(drop),
                _ => TcpStream::connect(("127.0.0.1", self.port)).await.ok().map(drop),
            }
        })
        .await;
    }

    fn end(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

fn script() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/servers.sh")
}

fn run(kind: &str, directory: &Path, port: u16, disk: Option<u32>) -> Child {
    let log = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(directory.join("log"))
        .unwrap();
    Command::new(script())
        .arg(kind)
        .arg(directory)
        .arg(port.to_string())
        .args(disk.map(|megabytes| megabytes.to_string()))
        .stdin(Stdio::piped())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .expect("tests/servers.sh runs")
}

/// A port that nobody has now.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}
