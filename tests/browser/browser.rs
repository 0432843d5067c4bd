//! A headless Chromium without the network, in a folder of its own.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use super::devtools::DevTools;
use support::{cluster::run_dir, eventually, process::Process};

const DEADLINE: Duration = Duration::from_secs(60);

/// A running browser; it ends with this.
pub(crate) struct Browser {
    pub(crate) devtools: DevTools,
    _process: Process,
}

impl Browser {
    /// Starts the Chromium that `run.sh` found.
    pub(crate) async fn start() -> Self {
        let program = std::env::var_os("VAS_TEST_BROWSER").expect("run.sh says where Chromium is");
        let profile = run_dir().join("browser");
        let mut args: Vec<String> = [
            "--headless=new",
            "--remote-debugging-port=0",
            "--no-first-run",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-proxy-server",
            "--hide-scrollbars",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        ]
        .map(str::to_owned)
        .into();
        args.push(format!("--user-data-dir={}", profile.display()));
        if is_root() {
            // Its sandbox is one for users who are not root.
            args.push("--no-sandbox".to_owned());
        }
        args.push("about:blank".to_owned());
        let log = run_dir().join("logs/browser.log");
        let process = Process::start("browser", Path::new(&program), &args, &[], log);
        let (port, path) = eventually(DEADLINE, "the browser listens", || async {
            listens(&profile.join("DevToolsActivePort")).ok_or("no port yet")
        })
        .await;
        Self {
            devtools: DevTools::connect(port, &path).await,
            _process: process,
        }
    }
}

/// Port and path that the browser wrote into a file.
fn listens(file: &PathBuf) -> Option<(u16, String)> {
    let text = std::fs::read_to_string(file).ok()?;
    let (port, path) = text.split_once('\n')?;
    Some((port.parse().ok()?, path.trim().to_owned()))
}

fn is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let uids = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    uids.is_some_and(|uids| uids.split_whitespace().nth(1) == Some("0"))
}
