//! A real Prometheus that scrapes what tests register.

use std::{path::PathBuf, time::Duration};

use super::{
    cluster::{bin, promtool, run_dir},
    eventually::eventually,
    process::{Process, Signal, free_port},
};

/// How often it scrapes. Rate windows in tests must be at least twice this.
pub const SCRAPE_INTERVAL: &str = "1s";

/// A running Prometheus with its data in a folder of its own.
#[derive(Debug)]
pub struct Prometheus {
    name: String,
    dir: PathBuf,
    port: u16,
    process: Option<Process>,
    secured: Option<Secured>,
}

/// A Prometheus that only authorized clients may query.
#[derive(Clone, Debug)]
pub struct Secured {
    /// The content of its `--web.config.file`.
    pub web_config: String,
    /// A client that may query it.
    pub client: reqwest::Client,
}

impl Prometheus {
    /// Starts it and waits until it is ready. Targets come from `register`.
    pub async fn start(name: &str) -> Self {
        Self::start_with(name, None).await
    }

    /// The same with TLS. Its certificate must be for `localhost`.
    pub async fn start_secured(name: &str, secured: Secured) -> Self {
        Self::start_with(name, Some(secured)).await
    }

    /// Starts it with samples of the past, in the OpenMetrics format with times.
    pub async fn start_with_past(name: &str, samples: &str) -> Self {
        let mut prometheus = Self::start(name).await;
        prometheus.down();
        let file = prometheus.dir.join("past.om");
        std::fs::write(&file, samples).expect("samples can be written");
        let made = std::process::Command::new(promtool())
            .args(["tsdb", "create-blocks-from", "openmetrics"])
            .args([&file, &prometheus.dir.join("data")])
            .output()
            .expect("promtool starts");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        prometheus.up().await;
        prometheus
    }

    async fn start_with(name: &str, secured: Option<Secured>) -> Self {
        super::install_tls_provider();
        let dir = run_dir().join(format!("prometheus-{name}"));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(dir.join("targets")).expect("a folder for Prometheus");
        std::fs::write(dir.join("prometheus.yml"), configuration()).expect("a configuration can be written");
        let mut prometheus = Self {
            name: name.to_owned(),
            dir,
            port: free_port(),
            process: None,
            secured,
        };
        prometheus.up().await;
        prometheus
    }

    /// Its address, for `--prometheus-url`.
    pub fn url(&self) -> String {
        match &self.secured {
            None => format!("http://127.0.0.1:{}", self.port),
            Some(_) => format!("https://localhost:{}", self.port),
        }
    }

    /// Its process; `None` while it is down.
    pub fn id(&self) -> Option<u32> {
        self.process.as_ref().map(Process::id)
    }

    /// Adds a scrape target; it is picked up within seconds. The target's own labels win.
    pub fn register(&self, job: &str, target: &str) {
        self.register_every(job, target, SCRAPE_INTERVAL);
    }

    /// The same for a target that is scraped at an interval of its own.
    pub fn register_every(&self, job: &str, target: &str, interval: &str) {
        let labels = serde_json::json!({"job": job, "__scrape_interval__": interval});
        let text = serde_json::json!([{"targets": [target], "labels": labels}]).to_string();
        let file = self.dir.join("targets").join(format!("{job}.json"));
        let draft = file.with_extension("draft");
        std::fs::write(&draft, text).expect("a target file can be written");
        std::fs::rename(draft, file).expect("a target file can be renamed");
    }

    /// Stops it; its data stays.
    pub fn down(&mut self) {
        if let Some(process) = self.process.take() {
            process.signal(Signal::Kill);
        }
    }

    /// Starts it again on the same port and data.
    pub async fn up(&mut self) {
        let mut args = vec![
            format!("--config.file={}", self.dir.join("prometheus.yml").display()),
            format!("--storage.tsdb.path={}", self.dir.join("data").display()),
            format!("--web.listen-address=127.0.0.1:{}", self.port),
            "--storage.tsdb.no-lockfile".to_owned(),
            // By default 512, which KEDA takes for itself with 1,000 resources: then nobody else is answered.
            "--web.max-connections=10000".to_owned(),
            "--log.level=warn".to_owned(),
        ];
        let mut client = reqwest::Client::new();
        if let Some(secured) = &self.secured {
            let file = self.dir.join("web.yml");
            std::fs::write(&file, &secured.web_config).expect("a configuration can be written");
            args.push(format!("--web.config.file={}", file.display()));
            client = secured.client.clone();
        }
        let log = self.dir.join("prometheus.log");
        self.process = Some(Process::start(
            &format!("prometheus {}", self.name),
            &bin("prometheus"),
            &args,
            &[],
            log,
        ));
        let ready = format!("{}/-/ready", self.url());
        eventually(Duration::from_secs(30), "Prometheus is ready", || async {
            match client.get(&ready).send().await {
                Ok(answer) if answer.status().is_success() => Ok(()),
                Ok(answer) => Err(answer.status().to_string()),
                Err(error) => Err(error.to_string()),
            }
        })
        .await;
    }

    /// The value of an instant query with one series as its result.
    pub async fn query(&self, promql: &str) -> Option<f64> {
        let url = format!("{}/api/v1/query", self.url());
        let answer = reqwest::Client::new()
            .get(url)
            .query(&[("query", promql)])
            .send()
            .await
            .ok()?;
        let answer: serde_json::Value = answer.json().await.ok()?;
        answer.pointer("/data/result/0/value/1")?.as_str()?.parse().ok()
    }
}

fn configuration() -> String {
    format!(
        "global: {{scrape_interval: {SCRAPE_INTERVAL}, scrape_timeout: {SCRAPE_INTERVAL}}}\n\
         scrape_configs:\n\
         - job_name: tests\n  \
           honor_labels: true\n  \
           file_sd_configs: [{{files: ['targets/*.json'], refresh_interval: 1s}}]\n"
    )
}
