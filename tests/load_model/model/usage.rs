//! CPU and memory that a pod uses under load, so that metrics.k8s.io follows the load too.
//!
//! The costs are chosen below the targets of the shipped example, for pods with requests of 500m and 256Mi:
//! at 100 requests per second, the target, a gateway pod is at half its CPU target, so the rate decides.

/// What one pod uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Usage {
    /// CPU in milli-cores.
    pub cpu_milli: u32,
    /// Memory in mebibytes.
    pub memory_mebi: u32,
}

const GATEWAY_IDLE: Usage = Usage {
    cpu_milli: 25,
    memory_mebi: 72,
};
const GATEWAY_MILLI_CPU_PER_RATE: f64 = 1.5;
const GATEWAY_MEBI_PER_RATE: f64 = 0.2;

const WORKER_IDLE: Usage = Usage {
    cpu_milli: 20,
    memory_mebi: 80,
};
const WORKER_BUSY_MILLI_CPU: f64 = 260.0;
const WORKER_BUSY_MEBI: f64 = 40.0;

/// Usage of a gateway pod at this many requests per second.
pub(crate) fn of_gateway(requests_per_second: f64) -> Usage {
    Usage {
        cpu_milli: GATEWAY_IDLE.cpu_milli + whole(requests_per_second * GATEWAY_MILLI_CPU_PER_RATE),
        memory_mebi: GATEWAY_IDLE.memory_mebi + whole(requests_per_second * GATEWAY_MEBI_PER_RATE),
    }
}

/// Usage of a worker pod that is busy for this share of the time.
pub(crate) fn of_worker(busy: f64) -> Usage {
    Usage {
        cpu_milli: WORKER_IDLE.cpu_milli + whole(busy * WORKER_BUSY_MILLI_CPU),
        memory_mebi: WORKER_IDLE.memory_mebi + whole(busy * WORKER_BUSY_MEBI),
    }
}

impl Usage {
    /// Whether the difference is too small to be worth a write: less than 10 % in both CPU and memory.
    pub(crate) fn is_close_to(self, other: Self) -> bool {
        fn close(left: u32, right: u32) -> bool {
            left.abs_diff(right).saturating_mul(10) < left.max(right)
        }
        close(self.cpu_milli, other.cpu_milli) && close(self.memory_mebi, other.memory_mebi)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates, and a load is never negative"
)]
fn whole(amount: f64) -> u32 {
    amount.round() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_the_target_rate_a_gateway_pod_is_at_half_its_cpu_target() {
        assert_eq!(of_gateway(100.0).cpu_milli, 175, "of 70 % of 500m");
    }

    #[test]
    fn a_busy_worker_stays_below_its_cpu_target() {
        assert!(of_worker(1.0).cpu_milli < 400, "80 % of 500m");
        assert_eq!(of_worker(0.0), WORKER_IDLE);
    }

    #[test]
    fn small_differences_are_not_worth_a_write() {
        let usage = of_gateway(100.0);
        assert!(usage.is_close_to(of_gateway(105.0)));
        assert!(!usage.is_close_to(of_gateway(150.0)));
        assert!(!of_worker(0.0).is_close_to(of_worker(1.0)));
    }
}
