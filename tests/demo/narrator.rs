//! Writes to the terminal during the story: headlines, a row every five seconds, and conditions when they
//! change.

use std::time::Duration;

use crate::{
    clock::Clock,
    oracle::Moment,
    record::{Condition, Shared, latest},
    table::{Row, clock as time, header},
    terminal::{self, Look, Terminal, wrap},
    workload::Workload,
};

/// Time between two rows.
pub(crate) const ROW: Duration = Duration::from_secs(5);
/// Columns for the message of a condition.
const MESSAGE: usize = 98;

/// Writes about the story.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Narrator {
    /// The terminal that is written to.
    pub terminal: Terminal,
    /// The time axis.
    pub clock: Clock,
    /// Moment at which the story's own time begins.
    pub began: Moment,
}

impl Narrator {
    /// Writes the head of the table.
    pub(crate) fn head(self) {
        terminal::line("");
        for line in header(self.terminal) {
            terminal::line(&line);
        }
    }

    /// Writes a headline.
    pub(crate) fn phase(self, title: &str) {
        let at = format!("{:>5}", time(self.elapsed()));
        let title = format!("{at} ━━ {title} ");
        let rule = "━".repeat(108_usize.saturating_sub(title.chars().count()));
        terminal::line(&self.terminal.paint(Look::Bold, &format!("{title}{rule}")));
    }

    /// Writes bad news.
    pub(crate) fn trouble(self, text: &str) {
        self.say(Look::Red, "✗", text);
    }

    /// Writes rows and conditions until it is dropped.
    pub(crate) async fn follow(self, record: Shared) {
        let mut seen: Vec<Option<Condition>> = Vec::new();
        let mut ticks = tokio::time::interval(ROW / 10);
        let mut tick = 0_u32;
        loop {
            ticks.tick().await;
            let (row, conditions) = {
                let record = record.lock();
                let mut conditions = vec![latest(&record.metrics_available).cloned()];
                conditions.extend(Workload::ALL.map(|workload| record.now(workload).1.active));
                (Row::of(&record, self.elapsed()), conditions)
            };
            if !seen.is_empty() {
                self.changes(&seen, &conditions);
            }
            seen = conditions;
            if tick.is_multiple_of(10) {
                terminal::line(&row.render(self.terminal));
            }
            tick += 1;
        }
    }

    fn changes(self, before: &[Option<Condition>], now: &[Option<Condition>]) {
        let names = [
            "VoiceAssistScaling MetricsAvailable",
            "api-gateway HPA ScalingActive",
            "worker HPA ScalingActive",
        ];
        for ((name, before), now) in names.iter().zip(before).zip(now) {
            let (Some(before), Some(now)) = (before, now) else {
                continue;
            };
            if (&before.status, &before.reason) == (&now.status, &now.reason) {
                continue;
            }
            let good = now.status == "True";
            let (look, mark) = if good {
                (Look::Green, "✓")
            } else {
                (Look::Yellow, "!")
            };
            self.say(look, mark, &format!("{name}={}, {}", now.status, now.reason));
            if !good {
                for line in wrap(&now.message, MESSAGE).iter().take(4) {
                    terminal::line(&self.terminal.paint(Look::Dim, &format!("        {line}")));
                }
            }
        }
    }

    fn say(self, look: Look, mark: &str, text: &str) {
        let at = format!("{:>5}", time(self.elapsed()));
        terminal::line(&self.terminal.paint(look, &format!("{at} {mark} {text}")));
    }

    fn elapsed(self) -> Moment {
        self.clock.now() - self.began
    }
}
