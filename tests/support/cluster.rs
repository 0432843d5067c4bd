//! The real Kubernetes of `tests/cluster`, reached from Rust.
//!
//! One cluster is shared by a test run; a test that stops components starts one of its own. Each dies
//! with this process: the launcher ends when its standard input closes.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};

use super::{api::Connection, process, turn};

/// A shorter time between two looks of the HPA controller than our clusters have otherwise (5 s): tests wait for it.
pub const SCALED_OFTEN: &str = "--hpa-sync-period=2s";

/// The CRD of this checkout.
pub const CRD: &str = "voiceassistscalings.scaling.voiceassist.io";

static STARTING: Mutex<()> = Mutex::new(());

/// A running cluster.
#[derive(Debug)]
pub struct Cluster {
    dir: PathBuf,
    /// Held so that the launcher's standard input stays open; `None` for a cluster somebody else started.
    launcher: Mutex<Option<Child>>,
    connection: OnceLock<Connection>,
}

impl Cluster {
    /// The cluster all tests of this run share, with the CRD installed. A test waits here for its turn. Started on first use;
    /// `VAS_CLUSTER_DIR` names one that is already up (`make cluster-up`), which makes single tests quick.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        turn::wait();
        SHARED.get_or_init(|| {
            let cluster = match std::env::var_os("VAS_CLUSTER_DIR") {
                Some(dir) => Self::at(dir.into()),
                None => Self::start("shared", &[SCALED_OFTEN]),
            };
            cluster.install_crd();
            cluster
        })
    }

    /// A cluster that somebody else started in this folder, and ends.
    pub fn at(dir: PathBuf) -> Self {
        Self {
            dir,
            launcher: Mutex::new(None),
            connection: OnceLock::new(),
        }
    }

    /// Puts archives of images into the real nodes.
    #[track_caller]
    pub fn load(&self, archives: &[PathBuf]) {
        let mut load = Command::new(launcher());
        load.arg("load").arg("--dir").arg(&self.dir).args(archives);
        let output = load.output().expect("the launcher starts");
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "load {archives:?}: {words}");
    }

    /// Starts a cluster of its own, without the CRD, in a fresh folder.
    pub fn start(name: &str, flags: &[&str]) -> Self {
        turn::wait();
        let dir = run_dir().join("clusters").join(name);
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).expect("a folder for the cluster");
        let mut command = Command::new(launcher());
        command
            .args(["up", "--exit-with-parent", "--dir"])
            .arg(&dir)
            .args(flags);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        // Starting takes seconds of CPU, and several clusters that start at the same time come too late for the launcher.
        let one_at_a_time = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
        let mut child = process::spawn(command);
        let stdout = child.stdout.take().expect("the launcher's output is piped");
        let mut line = String::new();
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("the launcher's output can be read");
        drop(one_at_a_time);
        assert!(
            line.starts_with("export KUBECONFIG="),
            "the cluster did not start; it said {line:?}"
        );
        Self {
            dir,
            launcher: Mutex::new(Some(child)),
            connection: OnceLock::new(),
        }
    }

    /// Ends the cluster, unless somebody else started it.
    pub fn end(&self) {
        let launcher = self
            .launcher
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(mut launcher) = launcher {
            drop(launcher.stdin.take());
            let _ = launcher.wait();
        }
    }

    pub(super) fn connection(&self) -> &Connection {
        self.connection
            .get_or_init(|| Connection::open(&self.kubeconfig()))
    }

    /// The folder with `kubeconfig`, `audit.log` and `logs/`.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The administrator's kubeconfig.
    pub fn kubeconfig(&self) -> PathBuf {
        self.dir.join("kubeconfig")
    }

    /// A client with the administrator's rights. One per test: a client belongs to its runtime.
    pub async fn client(&self) -> Client {
        client_for(&self.kubeconfig()).await
    }

    /// Installs the CRD of this checkout and waits until it is served.
    pub fn install_crd(&self) {
        let crd = std::fs::read_to_string(root().join("crds/voiceassistscalings.yaml"));
        self.apply("", &crd.expect("the CRD of this checkout"));
        self.established(CRD);
    }

    /// Whether the API server answers that it is ready, or why not.
    pub fn is_ready(&self) -> Result<(), String> {
        self.connection().send("GET", "/readyz").map(drop)
    }

    /// Runs kubectl as the administrator, with `input` on its standard input.
    pub fn kubectl(&self, args: &[&str], input: Option<&str>) -> Output {
        use std::io::Write as _;
        let mut command = Command::new(bin("kubectl"));
        command
            .arg("--kubeconfig")
            .arg(self.kubeconfig())
            .args(args)
            .current_dir(root());
        command.stdin(if input.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        });
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("kubectl starts");
        if let (Some(input), Some(mut stdin)) = (input, child.stdin.take()) {
            stdin
                .write_all(input.as_bytes())
                .expect("kubectl reads its input");
        }
        child.wait_with_output().expect("kubectl ends")
    }

    /// Runs kubectl and returns its standard output; panics with its words if it fails.
    #[track_caller]
    pub fn kubectl_ok(&self, args: &[&str], input: Option<&str>) -> String {
        let output = self.kubectl(args, input);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "kubectl {args:?} failed: {stderr}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// `stop`, `start`, `kill`, `pause` or `resume` a component such as `kube-apiserver`.
    #[track_caller]
    pub fn component(&self, verb: &str, component: &str) {
        let output = Command::new(launcher())
            .arg(verb)
            .arg("--dir")
            .arg(&self.dir)
            .arg(component)
            .output();
        let output = output.expect("the launcher starts");
        assert!(
            output.status.success(),
            "{verb} {component}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// The process of a component such as `kube-apiserver`; `None` where it does not run.
    pub fn process(&self, component: &str) -> Option<u32> {
        let mut status = Command::new(launcher());
        let status = status.arg("status").arg("--dir").arg(&self.dir).output().ok()?;
        let text = String::from_utf8_lossy(&status.stdout).into_owned();
        let line = text
            .lines()
            .find(|line| line.split_whitespace().next() == Some(component))?;
        line.split_once("pid=")?.1.trim().parse().ok()
    }

    /// Writes a kubeconfig with a token of a service account and returns its path.
    #[track_caller]
    pub fn service_account_kubeconfig(&self, namespace: &str, account: &str) -> PathBuf {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let token = self.token(namespace, account);
        let mut config =
            Kubeconfig::read_from(self.kubeconfig()).expect("the administrator's kubeconfig parses");
        for user in &mut config.auth_infos {
            user.auth_info = Some(kube::config::AuthInfo {
                token: Some(token.clone().into()),
                ..kube::config::AuthInfo::default()
            });
        }
        for context in &mut config.contexts {
            if let Some(context) = &mut context.context {
                context.namespace = Some(namespace.to_owned());
            }
        }
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        // A file of its own each time: the process that got an earlier one may be about to read it.
        let path = self
            .dir
            .join(format!("kubeconfig-{namespace}-{account}-{number}"));
        let text = serde_json::to_string(&config).expect("a kubeconfig can be written as JSON");
        std::fs::write(&path, text).expect("a kubeconfig can be written");
        path
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.end();
    }
}

/// A client for a kubeconfig.
pub async fn client_for(kubeconfig: &Path) -> Client {
    super::install_tls_provider();
    let kubeconfig = Kubeconfig::read_from(kubeconfig).expect("the kubeconfig parses");
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
    let mut config = config.expect("the kubeconfig is complete");
    // A client that retries answers of status 503 would hide them from the test.
    config.default_retry = false;
    Client::try_from(config).expect("a client")
}

/// The root folder of the checkout.
pub fn root() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().expect("the tests lie in the checkout")
}

/// A program of the local Kubernetes, built on first use: `kubectl`, `prometheus`.
pub fn bin(name: &str) -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT
        .get_or_init(|| {
            let status = Command::new(launcher())
                .arg("build")
                .stdout(Stdio::null())
                .status();
            assert!(
                status.is_ok_and(|status| status.success()),
                "tests/cluster/cluster.sh build failed"
            );
            std::env::var_os("VAS_CLUSTER_BIN")
                .map_or_else(|| root().join("target/cluster/bin"), PathBuf::from)
        })
        .join(name)
}

/// Helm, built on first use. No cluster needs it, so it is not among the programs of [`bin`].
pub fn helm() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| built("helm")).clone()
}

/// What checks and tests rules of Prometheus, built on first use like [`helm`].
pub fn promtool() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| built("promtool")).clone()
}

fn built(program: &str) -> PathBuf {
    let mut build = Command::new(launcher());
    let status = build.args(["build", program]).stdout(Stdio::null()).status();
    assert!(
        status.is_ok_and(|status| status.success()),
        "tests/cluster/cluster.sh build {program} failed"
    );
    bin(program)
}

fn launcher() -> PathBuf {
    root().join("tests/cluster/cluster.sh")
}

/// Where this process keeps clusters, logs and data; folders of processes that are gone are removed.
///
/// Tests run side by side, so each piece of the tests has a folder here whose name no other piece takes: a cluster is
/// in `clusters/NAME`, and what a cluster removes when it starts is its own.
pub fn run_dir() -> PathBuf {
    static DIR: OnceLock<PathBuf> = OnceLock::new();
    DIR.get_or_init(|| {
        let runs = root().join("target/cluster/run");
        for entry in std::fs::read_dir(&runs).into_iter().flatten().flatten() {
            if !Path::new("/proc").join(entry.file_name()).exists() {
                let _ = std::fs::remove_dir_all(entry.path());
            }
        }
        runs.join(std::process::id().to_string())
    })
    .clone()
}
