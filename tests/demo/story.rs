//! The story: what is done to VoiceAssist, step by step. Every step waits for its effect until a deadline. An
//! effect that does not come is noted, and the story goes on.

use std::time::Duration;

use crate::{
    clock::Clock,
    gather::{Asked, Outage},
    narrator::Narrator,
    oracle::Moment,
    record::{Record, Shared, latest},
    stage::{CAPACITY, Stage},
    users::{Part, Seen},
    workload::Workload,
};

/// Requests per second at the peak, as in the scenarios of the users. Nine pods are at their target; eight
/// would be beyond the tolerance.
const PEAK: i32 = 900;
/// Pods the peak needs by the HPA's target.
pub(crate) const PEAK_PODS: i32 = 9;
/// Least number of pods that can carry the peak.
pub(crate) const CARRYING_PODS: i32 = PEAK / CAPACITY + 1;

/// Seconds that Prometheus is down in addition to `maxAge` and the scale-down window: two syncs.
const BEYOND: Moment = 10.0;

/// Time between two syncs of the local HPA controller, plus one second.
const ONE_SYNC: Duration = Duration::from_secs(6);

/// Number of short jobs, and seconds of one worker that each takes.
const SHORT_JOBS: (u32, f64) = (300, 0.25);
/// Long jobs behind them: too few to make the queue deep, but so slow that they get old.
const LONG_JOBS: (u32, f64) = (30, 7.0);

/// The moments of the story.
#[derive(Clone, Debug, Default)]
pub(crate) struct Story {
    /// Beginning of the quiet time. Everything from here on is judged.
    pub began: Moment,
    /// What users saw, part by part.
    pub users: Vec<Seen>,
    /// Beginning of the rise of the load.
    pub ramp: Moment,
    /// Time in which Prometheus was down.
    pub outage: Option<Outage>,
    /// Moment at which the queue was filled.
    pub burst: Moment,
    /// End of the story.
    pub ended: Moment,
    /// Effects that did not come before their deadline.
    pub missed: Vec<String>,
}

/// Plays the story.
pub(crate) struct Teller<'a> {
    /// The stage on which the story is played.
    pub stage: &'a mut Stage,
    /// The time axis.
    pub clock: Clock,
    /// What has been observed so far.
    pub record: Shared,
    /// Writes the headlines to the terminal.
    pub narrator: Narrator,
    /// The settings of the resource.
    pub asked: Asked,
    /// Scale-down window of both HPAs.
    pub window: Moment,
}

impl Teller<'_> {
    /// Plays the story from the first quiet time to the last one.
    pub(crate) async fn tell(&mut self) -> Story {
        let mut story = Story {
            began: self.clock.now(),
            ..Story::default()
        };
        self.narrator.phase("Quiet: 60 requests/s, an empty queue");
        tokio::time::sleep(Duration::from_secs(10)).await;
        self.ramp(&mut story).await;
        self.outage(&mut story).await;
        self.burst(&mut story).await;
        self.quiet(&mut story).await;
        story.ended = self.clock.now();
        if let Some(users) = self.stage.users.take() {
            story.users.push(users.leave().await);
        }
        story
    }

    async fn ramp(&mut self, story: &mut Story) {
        self.narrator.phase(&format!(
            "Request ramp: 60 to {PEAK} requests/s in 12 s; three pods can carry {}",
            Workload::Gateway.bounds().0 * CAPACITY
        ));
        story.ramp = self.clock.now();
        self.users(story, Part::Ramp).await;
        let what = "nine Ready gateway pods, each within its target";
        self.until(story, 75, what, |record| {
            let (scale, _) = record.now(Workload::Gateway);
            let rate = latest(&record.served).and_then(|served| served.rate);
            scale.ready >= PEAK_PODS && rate.is_some_and(|rate| rate <= 110.0)
        })
        .await;
    }

    /// Stops Prometheus for longer than `maxAge` and the scale-down window together. An autoscaler that takes
    /// missing data for zero would scale down in that time.
    async fn outage(&mut self, story: &mut Story) {
        self.users(story, Part::Peak).await;
        // The report of the users knows exactly when the load began to rise.
        if let Some(ramp) = story.users.last() {
            story.ramp = self.clock.of(ramp.report.run.began);
        }
        let seconds = self.asked.max_age + self.window + BEYOND;
        self.narrator.phase(&format!(
            "Prometheus is stopped at the peak, for {seconds:.0} s: maxAge {:.0} s + scale-down window {:.0} s + {BEYOND} s",
            self.asked.max_age, self.window
        ));
        let from = self.clock.now();
        self.stage.prometheus.down();
        tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
        self.narrator.phase(
            "Prometheus is back, and the load is still at its peak: replicas must not fall now either",
        );
        self.stage.prometheus.up().await;
        let to = self.clock.now();
        story.outage = Some(Outage { from, to });
        self.until(story, 45, "both HPAs have data again", |record| {
            Workload::ALL.into_iter().all(|workload| {
                let (_, hpa) = record.now(workload);
                hpa.active.is_some_and(|active| active.status == "True")
            })
        })
        .await;
        tokio::time::sleep(ONE_SYNC).await;
    }

    async fn burst(&mut self, story: &mut Story) {
        let (short, _) = SHORT_JOBS;
        let (long, _) = LONG_JOBS;
        self.narrator.phase(&format!(
            "The peak ends; {short} short jobs and {long} long ones arrive at once: depth decides first"
        ));
        self.users(story, Part::QuietAgain).await;
        story.burst = self.clock.now();
        for (jobs, seconds) in [SHORT_JOBS, LONG_JOBS] {
            self.stage.load.enqueue(jobs, seconds).await;
        }
        self.until(story, 10, "the jobs are in the queue", |record| {
            latest(&record.offered).is_some_and(|offered| offered.queue_depth > u64::from(long))
        })
        .await;
        self.until(story, 75, "the short jobs are done", |record| {
            latest(&record.offered).is_some_and(|offered| offered.queue_depth <= u64::from(long))
        })
        .await;
        self.narrator.phase(&format!(
            "At most {long} jobs are left, but they are old: now age decides"
        ));
        self.until(story, 120, "the queue is empty", |record| {
            latest(&record.offered).is_some_and(|offered| offered.queue_depth == 0)
        })
        .await;
    }

    async fn quiet(&mut self, story: &mut Story) {
        self.narrator.phase("All done and quiet: back to the minimum");
        self.until(story, 90, "both workloads are back at minReplicas", |record| {
            Workload::ALL.into_iter().all(|workload| {
                let (scale, _) = record.now(workload);
                scale.spec == workload.bounds().0 && scale.ready == scale.spec
            })
        })
        .await;
    }

    /// Lets the users go on with the next part.
    async fn users(&mut self, story: &mut Story, part: Part) {
        if let Some(users) = &mut self.stage.users {
            story.users.push(users.go_on(part).await);
        }
    }

    async fn until(
        &mut self,
        story: &mut Story,
        seconds: u64,
        what: &str,
        condition: impl Fn(&Record) -> bool,
    ) {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(seconds);
        while !condition(&self.record.lock()) {
            self.stage.assert_running();
            if tokio::time::Instant::now() > deadline {
                story.missed.push(format!("not within {seconds} s: {what}"));
                self.narrator.trouble(&format!("not within {seconds} s: {what}"));
                return;
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }
}
