//! What each process used of the processors, which all of them share here: who reads a late answer wants to know for
//! whom it had to wait.

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

/// Whose time is looked at.
pub struct Processes(Pids);

/// One look.
pub struct Look {
    at: Instant,
    cpu: Cpu,
    machine: Duration,
}

/// Shares of one processor by process, over some time.
pub type Shares = BTreeMap<&'static str, f64>;

impl Processes {
    /// Those of the stage, and this one, which is the attack.
    pub fn of(stage: &Stage) -> Self {
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

    /// What they have used so far.
    pub fn look(&self) -> Look {
        Look {
            at: Instant::now(),
            cpu: Cpu::of(&self.0),
            machine: machine(),
        }
    }

    /// What each used between two looks.
    pub fn between(&self, begin: &Look, end: &Look) -> Shares {
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

/// Time that the machine's processors did not idle.
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
