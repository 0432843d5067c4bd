//! The load of a scenario: one, or several side by side, each with its own users or rate, start and journeys.
//!
//! Invariant: a load has at least one lane. A profile tells time from the begin of the run, so a lane that
//! starts later has a profile that begins with level 0. All profiles of [`Load::Several`] as a whole are as
//! long as its longest lane.

use std::time::Duration;

use super::rate::Profile;

/// The load over time.
#[derive(Clone, Debug, PartialEq)]
pub enum Load {
    /// Open model: journeys that begin per second, whatever the service does.
    Open(Profile),
    /// Closed model: users, each of whom begins its journey again after it has ended and after a pause.
    Closed(Profile),
    /// Several loads side by side.
    Several(Several),
}

/// The load of several loads of which there is none.
static EMPTY: Profile = Profile::EMPTY;

/// Whether journeys begin by a plan, or when users are free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    /// Levels are journeys that begin per second.
    Open,
    /// Levels are users.
    Closed,
}

/// One of several loads side by side.
#[derive(Clone, Debug, PartialEq)]
pub struct Lane {
    /// Name, unique in the scenario.
    pub name: String,
    /// What the levels of the profile are.
    pub model: Model,
    /// The load over time, from the begin of the run.
    pub profile: Profile,
    /// Closed model: the users of this load begin no further journey when they have ended this many.
    pub iterations: Option<u64>,
    /// The journeys of its users, as indices into those of the scenario; at least one, and not all of them
    /// have weight 0.
    pub journeys: Vec<usize>,
}

/// Several loads side by side; at least one.
#[derive(Clone, Debug, PartialEq)]
pub struct Several {
    lanes: Vec<Lane>,
    rates: Option<Profile>,
    users: Option<Profile>,
}

impl Several {
    /// These loads side by side.
    pub fn new(lanes: Vec<Lane>) -> Self {
        let end = lanes.iter().map(|lane| lane.profile.duration()).max();
        let sum = |model: Model| {
            let lanes = lanes.iter().filter(|lane| lane.model == model);
            let mut sum = lanes
                .map(|lane| lane.profile.clone())
                .reduce(|sum, profile| sum.beside(0.0, &profile, 0.0))?;
            sum.line(0.0, 0.0, end.unwrap_or_default().saturating_sub(sum.duration()));
            Some(sum)
        };
        Self {
            rates: sum(Model::Open),
            users: sum(Model::Closed),
            lanes,
        }
    }

    /// The loads, in the order of the scenario.
    pub fn lanes(&self) -> &[Lane] {
        &self.lanes
    }

    /// The same loads, each of them changed.
    #[must_use]
    pub fn map(&self, change: impl Fn(&Lane) -> Lane) -> Self {
        Self::new(self.lanes.iter().map(change).collect())
    }
}

impl Lane {
    /// The same lane with another profile.
    #[must_use]
    pub fn with(&self, profile: Profile) -> Self {
        Self {
            profile,
            ..self.clone()
        }
    }
}

impl Load {
    /// A load of one model.
    pub fn of(model: Model, profile: Profile) -> Self {
        match model {
            Model::Open => Self::Open(profile),
            Model::Closed => Self::Closed(profile),
        }
    }

    /// The same load, cut off at a moment.
    #[must_use]
    pub fn until(&self, end: Duration) -> Self {
        self.map(|profile| profile.until(end))
    }

    /// The same load with each of its profiles changed.
    #[must_use]
    pub fn map(&self, change: impl Fn(&Profile) -> Profile) -> Self {
        match self {
            Self::Open(profile) => Self::Open(change(profile)),
            Self::Closed(profile) => Self::Closed(change(profile)),
            Self::Several(several) => Self::Several(several.map(|lane| lane.with(change(&lane.profile)))),
        }
    }

    /// The journeys that begin per second, all loads together; `None` where all have users.
    pub fn rates(&self) -> Option<&Profile> {
        match self {
            Self::Open(profile) => Some(profile),
            Self::Closed(_) => None,
            Self::Several(several) => several.rates.as_ref(),
        }
    }

    /// The number of users, all loads together; `None` where all have a rate.
    pub fn users(&self) -> Option<&Profile> {
        match self {
            Self::Open(_) => None,
            Self::Closed(profile) => Some(profile),
            Self::Several(several) => several.users.as_ref(),
        }
    }

    /// Whether any journey begins by a plan. Only then can a request be late.
    pub fn has_schedule(&self) -> bool {
        self.rates().is_some()
    }

    /// The level of the load over time. Where some loads have a rate and others users, it is that of the
    /// rates, because levels of users cannot be added to them.
    pub fn profile(&self) -> &Profile {
        match self {
            Self::Open(profile) | Self::Closed(profile) => profile,
            Self::Several(several) => several
                .rates
                .as_ref()
                .or(several.users.as_ref())
                .unwrap_or(&EMPTY),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(model: Model, level: f64, from: u64, length: u64) -> Lane {
        let mut profile = Profile::default();
        profile.line(0.0, 0.0, Duration::from_secs(from));
        profile.line(level, level, Duration::from_secs(length));
        Lane {
            name: format!("{level}"),
            model,
            profile,
            iterations: None,
            journeys: vec![0],
        }
    }

    #[test]
    fn loads_of_one_unit_are_added_and_all_last_as_long_as_the_longest() {
        let load = Load::Several(Several::new(vec![
            lane(Model::Open, 5.0, 0, 20),
            lane(Model::Open, 3.0, 10, 20),
            lane(Model::Closed, 7.0, 5, 40),
        ]));
        let rates = load.rates().unwrap();
        let levels = [5.0, 15.0, 25.0, 35.0].map(|at| rates.level(at));
        for (level, wanted) in levels.into_iter().zip([5.0, 8.0, 3.0, 0.0]) {
            assert!((level - wanted).abs() < 1e-9, "{levels:?}");
        }
        assert_eq!(load.profile(), rates);
        assert!((rates.total() - 160.0).abs() < 1e-6);
        let users = load.users().unwrap();
        for profile in [rates, users] {
            assert_eq!(profile.duration(), Duration::from_secs(45));
        }
        assert!((users.level(1.0), users.level(6.0)) == (0.0, 7.0));
        let cut = load.until(Duration::from_secs(12));
        assert_eq!(cut.profile().duration(), Duration::from_secs(12));
        assert_eq!(cut.profile().due_before(Duration::from_secs(12)), 66);
    }

    #[test]
    fn users_alone_are_the_level_where_no_load_has_a_rate() {
        let load = Load::Several(Several::new(vec![
            lane(Model::Closed, 2.0, 0, 10),
            lane(Model::Closed, 4.0, 5, 10),
        ]));
        assert!(!load.has_schedule() && load.rates().is_none());
        assert!((load.profile().peak() - 6.0).abs() < 1e-9);
    }
}
