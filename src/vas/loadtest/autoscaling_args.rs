//! Flags of `vas test autoscaling`: the course of the load, and the assertions on replicas.

use std::time::Duration;

use super::load_args::parse_rate;
use crate::duration;
use vas_loadtest::autoscaling::wishes::{AssertionWishes, CourseWishes, ScaleDown};

/// The course of the load.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Load")]
pub(super) struct CourseArgs {
    /// Replicas that the load needs at its peak. Default: maxReplicas
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    replicas: Option<u32>,
    /// Load at the peak, in requests (journeys) per second. Default: what --replicas carry at the HPA's
    /// target for the request rate
    #[arg(long, value_name = "RATE", value_parser = parse_rate)]
    peak_rate: Option<f64>,
    /// Load before and after the peak. Default: 30 % of what minReplicas carry at that target, or a tenth of
    /// --peak-rate
    #[arg(long, value_name = "RATE", value_parser = parse_rate)]
    base_rate: Option<f64>,
    /// Time at the base rate before the ramp
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration::parse)]
    before: Duration,
    /// Time from the base rate to the peak
    #[arg(long, value_name = "DURATION", default_value = "1m", value_parser = duration::parse)]
    ramp: Duration,
    /// Time at the peak
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = duration::parse)]
    hold: Duration,
}

/// The assertions on replicas.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Assertions")]
pub(super) struct LimitArgs {
    /// Longest time from the load to --replicas Ready pods
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = duration::parse)]
    max_scale_up: Duration,
    /// Most replicas above what the load needs, in percent
    #[arg(long, value_name = "PERCENT", default_value_t = 25.0, value_parser = parse_percent)]
    max_overshoot: f64,
    /// Largest share of the time with fewer replicas than the load needs, in percent; only with --capacity
    #[arg(long, value_name = "PERCENT", default_value_t = 10.0, value_parser = parse_percent)]
    max_under_provisioned: f64,
    /// Longest time from the end of the load to minReplicas. Default: what the HPA's scaleDown behavior
    /// allows, plus 2m
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    max_scale_down: Option<Duration>,
    /// End with the load, and do not wait for the replicas to go
    #[arg(long, conflicts_with = "max_scale_down")]
    no_scale_down: bool,
}

impl CourseArgs {
    /// The load that the flags ask for.
    pub(super) fn wishes(&self) -> CourseWishes {
        CourseWishes {
            replicas: self.replicas,
            peak: self.peak_rate,
            base: self.base_rate,
            before: self.before,
            ramp: self.ramp,
            hold: self.hold,
        }
    }
}

impl LimitArgs {
    /// The assertions that the flags ask for.
    pub(super) fn wishes(&self) -> AssertionWishes {
        AssertionWishes {
            scale_up: self.max_scale_up,
            overshoot: self.max_overshoot / 100.0,
            under_provisioned: self.max_under_provisioned / 100.0,
            scale_down: match self.max_scale_down {
                _ if self.no_scale_down => ScaleDown::NotTested,
                Some(limit) => ScaleDown::Within(limit),
                None => ScaleDown::AsAllowed,
            },
        }
    }
}

fn parse_percent(text: &str) -> Result<f64, &'static str> {
    let percent = text
        .parse()
        .ok()
        .filter(|percent| (0.0..=1000.0).contains(percent));
    percent.ok_or("must be a number of percent")
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Flags {
        #[command(flatten)]
        course: CourseArgs,
        #[command(flatten)]
        limits: LimitArgs,
    }

    fn flags(flags: &[&str]) -> Flags {
        Flags::parse_from(std::iter::once(&"test").chain(flags))
    }

    #[test]
    fn what_is_not_given_follows_from_the_hpa() {
        let Flags { course, limits } = flags(&[]);
        let wishes = course.wishes();
        assert_eq!((wishes.replicas, wishes.peak, wishes.base), (None, None, None));
        assert_eq!(limits.wishes().scale_down, ScaleDown::AsAllowed);
        let given = |given: &[&str]| flags(given).limits.wishes().scale_down;
        let ten = Duration::from_secs(600);
        assert_eq!(given(&["--max-scale-down=10m"]), ScaleDown::Within(ten));
        assert_eq!(given(&["--no-scale-down"]), ScaleDown::NotTested);
    }
}
