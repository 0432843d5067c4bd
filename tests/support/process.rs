//! Child processes that never outlive the test process.
//!
//! A child is killed when its [`Process`] is dropped. `setpriv --pdeathsig` covers the test process being
//! killed itself; the kernel ties that signal to the parent *thread*, so every child is spawned from one
//! thread that lives as long as the process.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

type SpawnRequest = (Command, mpsc::Sender<std::io::Result<Child>>);

static SPAWNER: LazyLock<mpsc::Sender<SpawnRequest>> = LazyLock::new(|| {
    let (sender, receiver) = mpsc::channel::<SpawnRequest>();
    std::thread::spawn(move || {
        for (mut command, reply) in receiver {
            let _ = reply.send(command.spawn());
        }
    });
    sender
});

/// Spawns from the long-lived thread.
pub fn spawn(command: Command) -> Child {
    let (reply, answer) = mpsc::channel();
    let shown = format!("{command:?}");
    SPAWNER
        .send((command, reply))
        .expect("the spawner thread lives as long as the process");
    answer
        .recv()
        .expect("the spawner answers")
        .unwrap_or_else(|error| panic!("cannot start {shown}: {error}"))
}

/// A running program with its output in a file.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

/// A signal, as `kill` spells it.
#[derive(Clone, Copy, Debug)]
pub enum Signal {
    Term,
    Interrupt,
    Kill,
    Stop,
    Cont,
    Hangup,
}

impl Process {
    /// Starts a program with both outputs in `log`.
    pub fn start(
        name: &str,
        program: &Path,
        args: &[String],
        env: &[(String, String)],
        log: PathBuf,
    ) -> Self {
        let mut command = match setpriv() {
            Some(setpriv) => {
                let mut command = Command::new(setpriv);
                command.args(["--pdeathsig", "KILL", "--"]).arg(program);
                command
            }
            None => Command::new(program),
        };
        if let Some(parent) = log.parent() {
            std::fs::create_dir_all(parent).expect("a folder for the log");
        }
        let out = File::create(&log).expect("a log file");
        let err = out.try_clone().expect("a second handle of the log file");
        command.args(args).envs(env.iter().cloned());
        command.stdin(Stdio::null()).stdout(out).stderr(err);
        Self {
            name: name.to_owned(),
            child: spawn(command),
            log,
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file with everything that the process writes.
    pub fn log_file(&self) -> &Path {
        &self.log
    }

    /// Everything that the process has written so far.
    pub fn log(&self) -> String {
        std::fs::read(&self.log)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    /// The exit status, if it has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child of ours can be waited for")
    }

    /// Panics if it has ended; its log follows when it is dropped.
    pub fn assert_running(&mut self) {
        if let Some(status) = self.ended() {
            panic!("{} ended with {status}", self.name);
        }
    }

    pub fn signal(&self, signal: Signal) {
        let name = match signal {
            Signal::Term => "-TERM",
            Signal::Interrupt => "-INT",
            Signal::Kill => "-KILL",
            Signal::Stop => "-STOP",
            Signal::Cont => "-CONT",
            Signal::Hangup => "-HUP",
        };
        let status = Command::new("kill").arg(name).arg(self.id().to_string()).status();
        assert!(
            status.is_ok_and(|status| status.success()),
            "cannot signal {} ({})",
            self.name,
            self.id()
        );
    }

    /// Waits for its end; panics at the deadline, and its log follows when it is dropped.
    pub async fn wait(&mut self, deadline: Duration) -> ExitStatus {
        let end = Instant::now() + deadline;
        loop {
            if let Some(status) = self.ended() {
                return status;
            }
            assert!(
                Instant::now() < end,
                "{} did not end within {deadline:?}",
                self.name
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// SIGTERM, then waits.
    pub async fn stop(mut self, deadline: Duration) -> ExitStatus {
        self.signal(Signal::Term);
        self.wait(deadline).await
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            super::failure::print_log(&self.name, &self.log);
        }
    }
}

fn setpriv() -> Option<&'static Path> {
    static FOUND: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
        std::env::var_os("PATH").and_then(|path| {
            std::env::split_paths(&path)
                .map(|folder| folder.join("setpriv"))
                .find(|candidate| candidate.is_file())
        })
    });
    FOUND.as_deref()
}

/// A free port on the loopback address, never given twice by this process. It lies below the range from which
/// the kernel takes ports for outgoing connections, and outside the range of the launcher. A port of either
/// range could be taken before the program that gets it binds it.
pub fn free_port() -> u16 {
    const FIRST: u32 = 10_000;
    const COUNT: u32 = 10_000;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // Test processes that run at the same time start at different ports.
    let start = std::process::id().wrapping_mul(97);
    for _ in 0..COUNT {
        let offset = start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % COUNT;
        let port = u16::try_from(FIRST + offset).expect("below 20,000");
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no free port from {FIRST} on");
}
