//! The result of a capacity test, as one value from which all outputs are written.

use serde::{Deserialize, Serialize};

use super::{
    curve::Curve,
    suggestion::{Known, Suggestion, suggest},
    usl::FitError,
};

/// Version of the JSON form. Within one version fields may be added.
pub const SCHEMA_VERSION: u32 = 1;

/// The result of a capacity test. Loads are requests (or journeys) per second.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Capacity {
    /// Version of the JSON form, [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Name of the VoiceAssistScaling.
    pub name: String,
    /// Namespace of the VoiceAssistScaling.
    pub namespace: String,
    /// Name of the workload.
    pub workload: String,
    /// URL of the target of the load.
    pub target: String,
    /// Thresholds that had to hold, as the scenario writes them.
    pub objective: Vec<String>,
    /// Final gap of each search, as a share of the capacity: 0.02 is 2 %.
    pub precision: f64,
    /// Measured capacities, in order of replicas.
    pub points: Vec<Point>,
    /// The Universal Scalability Law, fitted to the points.
    pub scalability: Option<Scalability>,
    /// Why there is no fitted law.
    pub no_scalability: Option<String>,
    /// Results of the tries while the workload scales.
    pub elastic: Option<Elastic>,
    /// The suggested HPA target per pod.
    pub suggestion: Option<SuggestedTarget>,
}

/// Why a file with capacities was refused.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file is not a report of a capacity test.
    #[error("it is no report of vas test capacity: {0}")]
    Form(#[from] serde_json::Error),
    /// The report has another version.
    #[error("its schema_version is {0}, and this vas reads {SCHEMA_VERSION}")]
    Version(u32),
    /// The report has no capacity.
    #[error("it has no capacity")]
    Empty,
}

/// Reads the measured capacities from the JSON form of a report.
///
/// # Errors
/// When the text is not such a report, or has no capacity.
pub fn read_curve(text: &str) -> Result<Curve, ReadError> {
    #[derive(Deserialize)]
    struct Points {
        schema_version: u32,
        points: Vec<Point>,
    }
    let read: Points = serde_json::from_str(text)?;
    if read.schema_version != SCHEMA_VERSION {
        return Err(ReadError::Version(read.schema_version));
    }
    let points = read.points.iter().map(|point| (point.replicas, point.capacity));
    let curve = Curve::new(points.collect());
    if curve.points().is_empty() {
        return Err(ReadError::Empty);
    }
    Ok(curve)
}

/// Measured capacity of one number of replicas.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Number of replicas, all of them Ready during the whole measurement.
    pub replicas: u32,
    /// Highest load under which the objective held.
    pub capacity: f64,
    /// Lowest load under which the objective did not hold; `None` if the limit of the test came first.
    pub failed: Option<f64>,
    /// Number of steps of the search.
    pub steps: u32,
}

/// A fitted Universal Scalability Law.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Scalability {
    /// Load that one replica carries.
    pub lambda: f64,
    /// Contention: the cost of what the replicas share; 0 for a service that scales linearly.
    pub alpha: f64,
    /// Coherency: the cost of what the replicas exchange; 0 if more replicas never carry less.
    pub beta: f64,
    /// Standard error of alpha, if there are enough points.
    pub alpha_error: Option<f64>,
    /// Standard error of beta, if there are enough points.
    pub beta_error: Option<f64>,
    /// Root of the mean square of the relative residuals: 0.02 is 2 %.
    pub residual: f64,
    /// Number of replicas beyond which more carry less.
    pub knee: Option<f64>,
}

/// Results of the tries while the workload scales.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Elastic {
    /// Highest load that was survived after a slow rise.
    pub plateau: Option<f64>,
    /// Steepest ramp to 90 % of that load that was survived, in requests/s per second.
    pub ramp: Option<f64>,
    /// Longest time from the end of a rise of the load to the last Ready replica, in seconds.
    pub time_to_scale: Option<f64>,
}

/// The suggested HPA target per pod.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SuggestedTarget {
    /// Load of one pod: `averageValue` of the HPA's metric; `None` where no target helps.
    pub average_value: Option<f64>,
    /// The target as a share (0 to 1) of what one replica carries.
    pub headroom: f64,
    /// Why this target, in words for the user.
    pub reason: String,
}

impl Capacity {
    /// Derives the law and the suggestion from the points and from the tries while the workload scales.
    pub fn conclude(&mut self, min_replicas: u32) {
        let curve = Curve::new(
            self.points
                .iter()
                .map(|point| (point.replicas, point.capacity))
                .collect(),
        );
        (self.scalability, self.no_scalability) = match scalability(&curve) {
            Ok(scalability) => (Some(scalability), None),
            Err(error) => (None, Some(error.to_string())),
        };
        self.suggestion = curve.per_replica().map(|capacity| {
            let Suggestion {
                target,
                headroom,
                reason,
            } = suggest(&Known {
                capacity,
                min_replicas,
                ramp: self.elastic.and_then(|elastic| elastic.ramp),
                time_to_scale: self.elastic.and_then(|elastic| elastic.time_to_scale),
            });
            SuggestedTarget {
                average_value: target,
                headroom,
                reason,
            }
        });
    }
}

fn scalability(curve: &Curve) -> Result<Scalability, FitError> {
    let fit = curve.fit()?;
    Ok(Scalability {
        lambda: fit.lambda,
        alpha: fit.alpha,
        beta: fit.beta,
        alpha_error: fit.alpha_error,
        beta_error: fit.beta_error,
        residual: fit.residual,
        knee: fit.knee(),
    })
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;

    /// A service whose law is 100 n / (1 + 0.1 (n - 1) + 0.02 n (n - 1)), measured exactly.
    pub(crate) fn capacity() -> Capacity {
        let point = |replicas: u32| {
            let n = f64::from(replicas);
            let capacity = 100.0 * n / (1.0 + 0.1 * (n - 1.0) + 0.02 * n * (n - 1.0));
            Point {
                replicas,
                capacity,
                failed: Some(capacity * 1.02),
                steps: 12,
            }
        };
        let mut capacity = Capacity {
            schema_version: SCHEMA_VERSION,
            name: "voiceassist".to_owned(),
            namespace: "staging".to_owned(),
            workload: "api".to_owned(),
            target: "http://api".to_owned(),
            objective: vec!["latency p95 < 500ms".to_owned(), "errors < 1%".to_owned()],
            precision: 0.02,
            points: [1, 2, 4, 8].map(point).to_vec(),
            scalability: None,
            no_scalability: None,
            elastic: None,
            suggestion: None,
        };
        capacity.conclude(1);
        capacity
    }

    #[test]
    fn conclusions_follow_from_the_points() {
        let found = capacity();
        let law = found.scalability.unwrap();
        assert!((law.alpha - 0.1).abs() < 1e-6, "{law:?}");
        assert!((law.knee.unwrap() - 45.0_f64.sqrt()).abs() < 1e-3, "{law:?}");
        // The least capacity per replica is that of eight replicas: 100 / (1 + 0.7 + 1.12). 70 % of that are
        // suggested.
        let suggested = found.suggestion.unwrap();
        assert!(
            (suggested.average_value.unwrap() - 70.0 / 2.82).abs() < 1e-6,
            "{suggested:?}"
        );
        let mut two = capacity();
        two.points.truncate(2);
        two.conclude(1);
        assert_eq!(two.scalability, None);
        assert!(two.no_scalability.unwrap().contains("at least 3"));
    }

    #[test]
    fn capacities_are_read_back_from_a_report_and_from_nothing_else() {
        let report = r#"{"schema_version": 1, "points": [
            {"replicas": 2, "capacity": 200.0, "failed": 210.0, "steps": 7}], "more": 1}"#;
        let curve = read_curve(report).unwrap();
        assert_eq!(curve.points(), [(2, 200.0)]);
        for (text, word) in [
            ("{}", "no report of vas test capacity"),
            (r#"{"schema_version": 2, "points": []}"#, "schema_version is 2"),
            (r#"{"schema_version": 1, "points": []}"#, "no capacity"),
        ] {
            let error = read_curve(text).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }

    #[test]
    fn the_json_has_a_version_and_says_null_for_what_is_not_known() {
        let json = serde_json::to_value(capacity()).unwrap();
        assert_eq!(json["schema_version"], 1);
        assert_eq!(json["points"][0]["replicas"], 1);
        assert!(json["elastic"].is_null());
        assert!(json["suggestion"]["average_value"].is_number());
    }
}
