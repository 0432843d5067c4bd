//! Processor time of each process. All processes share one machine here, so a late answer may have waited for
//! any of them.

use std::{
    collections::BTreeMap,
    fs,
    time::{Duration, Instant},
};

use crate::{
    procfs::{Cpu, Pids},
    stage::Stage,
};

/// Everything else that ran on the machine.
const OTHERS: &str = "all other processes";

/// The processes whose time is measured.
pub(crate) struct Processes(Pids);

/// Processor times at one moment.
pub(crate) struct Look {
    at: Instant,
    cpu: Cpu,
    machine: Duration,
}

/// Share of one processor that each process used during some time.
pub(crate) type Shares = BTreeMap<&'static str, f64>;

impl Processes {
    /// The processes of the stage, and this one, which is the attack.
    pub(crate) fn of(stage: &Stage) -> Self {
        let mut pids = Pids::from([("attackers and watch", vec![std::process::id()])]);
        for server in &stage.servers {
            pids.insert(server.name, vec![server.process.id()]);
        }
        for component in ["kube-apiserver", "etcd", "kube-controller-manager"] {
            pids.insert(component, stage.cluster.process(component).into_iter().collect());
        }
        pids.insert("prometheus", stage.prometheus.id().into_iter().collect());
        Self(pids)
    }

    /// Processor time that the processes have used so far.
    pub(crate) fn look(&self) -> Look {
        Look {
            at: Instant::now(),
            cpu: Cpu::of(&self.0),
            machine: machine(),
        }
    }

    /// What each process used between two moments.
    pub(crate) fn between(&self, begin: &Look, end: &Look) -> Shares {
        let wall = (end.at - begin.at).as_secs_f64();
        let used = end.cpu.since(&begin.cpu);
        let mut shares: Shares = self
            .0
            .keys()
            .map(|name| (*name, used.used(name).as_secs_f64() / wall))
            .collect();
        let known: f64 = shares.values().sum();
        let all = end.machine.saturating_sub(begin.machine).as_secs_f64() / wall;
        shares.insert(OTHERS, (all - known).max(0.0));
        shares
    }
}

/// Time in which the machine's processors were not idle.
fn machine() -> Duration {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let line = stat.lines().next().unwrap_or_default();
    let ticks: Vec<u64> = line
        .split_whitespace()
        .skip(1)
        .take(8)
        .filter_map(|field| field.parse().ok())
        .collect();
    let idle: u64 = ticks.iter().skip(3).take(2).sum();
    Duration::from_millis((ticks.iter().sum::<u64>() - idle) * 10)
}
