//! Measures stretches of load on one server at a time, and their cost.

use std::time::Duration;

use crate::{
    adapters::{Adapter, VAS},
    arguments::{Arguments, Read, Way},
    load::{Caller, Http, Samples, closed, open},
    procfs::{Cpu, Pids},
    say,
    world::World,
};

/// Connections to a server. The API server, too, sends all requests to an adapter over few connections.
const CONNECTIONS: usize = 2;
/// Workers of a closed loop.
const WORKERS: u32 = 32;
/// Load before each stretch, which is not counted.
const WARM_UP: Duration = Duration::from_millis(400);
/// Number of URLs that are tried before a stretch.
const TRIED: usize = 10;

/// Names of processes in reports.
pub(crate) const SERVER: &str = "server";
pub(crate) const PROMETHEUS: &str = "Prometheus";
pub(crate) const API_SERVER: &str = "API server";
pub(crate) const LOAD: &str = "load generator";

/// The load of a stretch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Load {
    /// Open loop: requests per second, sent at fixed moments.
    Rate(u32),
    /// Closed loop: as many as workers that wait for their answers can send.
    Most,
}

/// Figures of one line of the tables.
#[derive(Clone, Debug)]
pub(crate) struct Point {
    pub way: Way,
    pub read: Read,
    pub load: Load,
    pub server: &'static str,
    pub samples: Samples,
    /// CPU time, without what the processes use anyway.
    pub cpu: Cpu,
}

/// Everything that is needed to measure.
pub(crate) struct Bench<'a> {
    pub world: &'a World,
    pub arguments: &'a Arguments,
    pub adapters: Vec<Adapter>,
    /// Sizes of vas's answers to each read, in bytes.
    sizes: Vec<(Read, usize)>,
    /// CPU time of Prometheus and the API server while all adapters are paused, and for how long it was
    /// measured.
    idle: (Cpu, Duration),
    api_server: u16,
    front_proxy: Caller,
    hpa_controller: Caller,
}

impl<'a> Bench<'a> {
    /// Waits until every server answers every URL, then pauses them all.
    pub(crate) async fn prepare(world: &'a World, arguments: &'a Arguments, adapters: Vec<Adapter>) -> Self {
        let mut bench = Self {
            world,
            arguments,
            adapters,
            sizes: Vec::new(),
            idle: Default::default(),
            api_server: world.api_server_port(),
            front_proxy: world.front_proxy(),
            hpa_controller: world.hpa_controller(),
        };
        bench.wait_for_all(arguments.workloads).await;
        bench
    }

    /// Waits until every server answers every URL of the workloads. Then pauses all servers and measures the
    /// idle cost.
    pub(crate) async fn wait_for_all(&mut self, workloads: usize) {
        say("waiting until every server answers every URL");
        for adapter in &mut self.adapters {
            adapter.run(true);
            adapter.assert_running();
        }
        let mut sizes = Vec::new();
        for adapter in &self.adapters {
            for read in self.reads(adapter) {
                let paths = adapter.paths(*read, workloads, 2);
                let size = adapter
                    .wait_for(adapter.port, &self.front_proxy, *read, &paths)
                    .await;
                if adapter.name == VAS {
                    sizes.push((*read, size));
                }
            }
        }
        self.sizes = sizes;
        for adapter in &self.adapters {
            adapter.run(false);
        }
        // Longer than any work that the last requests left behind.
        tokio::time::sleep(Duration::from_secs(2)).await;
        let pids = self.pids(None);
        let (before, looked) = (Cpu::of(&pids), self.arguments.stretch() + Duration::from_secs(1));
        tokio::time::sleep(looked).await;
        self.idle = (Cpu::of(&pids).since(&before), looked);
    }

    /// All points of one way, the servers in turn. Through the API server, all reads of one server come
    /// before those of the next one, because routing the groups to another server takes a while.
    pub(crate) async fn points(&self, way: Way) -> Vec<Point> {
        let mut points: Vec<Point> = Vec::new();
        let rounds = match way {
            Way::Direct => self.arguments.rounds,
            Way::ApiServer => 1,
        };
        let rates = self.arguments.rates.iter().map(|rate| Load::Rate(*rate));
        let loads: Vec<Load> = rates.chain([Load::Most]).collect();
        for round in 1..=rounds {
            if way == Way::ApiServer {
                for adapter in &self.adapters {
                    self.lead_to(adapter).await;
                    say(&format!("{}: {}", way.name(), adapter.name));
                    for read in self.reads(adapter) {
                        for load in &loads {
                            add(&mut points, self.point(adapter, way, *read, *load).await);
                        }
                    }
                    adapter.run(false);
                }
                continue;
            }
            for read in &self.arguments.reads {
                say(&format!(
                    "{}: {}, round {round} of {rounds}",
                    way.name(),
                    read.name()
                ));
                for load in &loads {
                    for adapter in self.adapters.iter().filter(|adapter| adapter.serves(*read)) {
                        adapter.resume().await;
                        add(&mut points, self.point(adapter, way, *read, *load).await);
                        adapter.run(false);
                    }
                }
            }
        }
        points
    }

    /// Lets one adapter run, and routes the API server's groups to it.
    pub(crate) async fn lead_to(&self, adapter: &Adapter) {
        adapter.resume().await;
        let groups = adapter.groups(&self.arguments.reads);
        self.world.route(&groups, adapter.service(), adapter.port);
        for read in self.reads(adapter) {
            let paths = self.paths(adapter, *read, self.arguments.workloads);
            adapter
                .wait_for(self.api_server, &self.hpa_controller, *read, &tried(&paths))
                .await;
        }
    }

    /// Measures one stretch of load on a running server.
    async fn point(&self, adapter: &Adapter, way: Way, read: Read, load: Load) -> Point {
        let (port, caller) = self.way(adapter, way);
        let paths = self.paths(adapter, read, self.arguments.workloads);
        adapter.wait_for(port, caller, read, &tried(&paths)).await;
        let (samples, cpu) = self
            .stretch(adapter, way, &paths, load, self.arguments.stretch())
            .await;
        Point {
            way,
            read,
            load,
            server: adapter.name,
            samples,
            cpu,
        }
    }

    /// Sends load to some URLs of a running server, and measures its cost.
    pub(crate) async fn stretch(
        &self,
        adapter: &Adapter,
        way: Way,
        paths: &[String],
        load: Load,
        length: Duration,
    ) -> (Samples, Cpu) {
        let (port, caller) = self.way(adapter, way);
        let http = Http::connect(port, caller, CONNECTIONS, paths).await;
        let http = std::sync::Arc::new(http.expect("a server that has just answered takes connections"));
        let run = |length| {
            let http = http.clone();
            async move {
                match load {
                    Load::Rate(rate) => open(rate, length, move |number| http.get(number)).await,
                    Load::Most => closed(WORKERS, length, move |number| http.get(number)).await,
                }
            }
        };
        run(WARM_UP).await;
        let pids = self.pids(Some(adapter));
        let (before, since) = (Cpu::of(&pids), std::time::Instant::now());
        let samples = run(length).await;
        let used = Cpu::of(&pids).since(&before);
        (samples, used.without(&self.idle.0, self.idle.1, since.elapsed()))
    }

    /// The reads that are measured for an adapter.
    pub(crate) fn reads<'b>(&'b self, adapter: &'b Adapter) -> impl Iterator<Item = &'b Read> {
        let all = self.arguments.reads.iter();
        all.filter(|read| adapter.serves(**read))
    }

    /// The URLs of a read.
    pub(crate) fn paths(&self, adapter: &Adapter, read: Read, workloads: usize) -> Vec<String> {
        let size = self.sizes.iter().find(|(known, _)| *known == read);
        adapter.paths(read, workloads, size.map_or(2, |(_, bytes)| *bytes))
    }

    /// Sizes of vas's answers, in bytes.
    pub(crate) fn sizes(&self) -> &[(Read, usize)] {
        &self.sizes
    }

    fn way(&self, adapter: &Adapter, way: Way) -> (u16, &Caller) {
        match way {
            Way::Direct => (adapter.port, &self.front_proxy),
            Way::ApiServer => (self.api_server, &self.hpa_controller),
        }
    }

    fn pids(&self, adapter: Option<&Adapter>) -> Pids {
        let mut pids = Pids::from([(LOAD, vec![std::process::id()])]);
        pids.extend(self.world.prometheus.id().map(|pid| (PROMETHEUS, vec![pid])));
        let api_server = self.world.component("kube-apiserver");
        pids.extend(api_server.map(|pid| (API_SERVER, vec![pid])));
        pids.extend(adapter.map(|adapter| (SERVER, adapter.ids())));
        if adapter.is_none() {
            // The load generator is never idle, so nothing is taken off its time.
            pids.remove(LOAD);
        }
        pids
    }
}

fn tried(paths: &[String]) -> Vec<String> {
    let step = paths.len().div_ceil(TRIED).max(1);
    paths.iter().step_by(step).cloned().collect()
}

/// Adds a stretch to earlier ones of the same point.
fn add(points: &mut Vec<Point>, new: Point) {
    let same = |point: &&mut Point| {
        (point.way, point.read, point.load, point.server) == (new.way, new.read, new.load, new.server)
    };
    match points.iter_mut().find(same) {
        Some(point) => {
            point.samples.merge(&new.samples);
            point.cpu = point.cpu.plus(&new.cpu);
        }
        None => points.push(new),
    }
}

impl Point {
    /// CPU milliseconds per answer of the server, Prometheus and the API server together; `None` without answers.
    pub(crate) fn cpu_per_read(&self) -> Option<f64> {
        let all = [SERVER, PROMETHEUS, API_SERVER].map(|name| self.cpu.used(name));
        self.per_answer(all.into_iter().sum())
    }

    /// CPU milliseconds per answer of one process.
    pub(crate) fn cpu_of(&self, process: &str) -> Option<f64> {
        self.per_answer(self.cpu.used(process))
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of requests")]
    fn per_answer(&self, used: Duration) -> Option<f64> {
        let answered = self.samples.answered();
        (answered > 0).then(|| used.as_secs_f64() * 1000.0 / answered as f64)
    }
}
