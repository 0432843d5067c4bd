//! Flags that say which policies are compared.

use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use serde_json::Value;

use super::{live::Live, quantity_arg::Amount};
use crate::{
    exit::{Code, CommandError},
    input::{Input, InputError},
    validate::report,
};
use vas_core::{
    replay::{Model, Policy},
    spec::rules::{self, document::Verdict},
};
use vas_diagnose::simulate::{
    comparison::Contender,
    optimize::Written,
    subject::{self, Counted, Hints, Meaning, Subject, SubjectError},
};

#[derive(Debug, clap::Args)]
pub(super) struct PolicyArgs {
    /// File with a VoiceAssistScaling or a plain HPA; - reads standard input. Without NAME the first one is the policy
    /// "resource"; others have the name of their file
    #[arg(
        short,
        long = "filename",
        value_name = "FILE",
        required_unless_present = "name"
    )]
    filenames: Vec<String>,
    /// The workload of the resource, or the HPA of this name
    #[arg(long, value_name = "NAME")]
    pub(super) workload: Option<String>,
    /// Take this environment instead of the one that spec.environment names
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// Compare with a constant number of replicas; may be given several times
    #[arg(long = "static", value_name = "REPLICAS", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    constants: Vec<u32>,
    /// What a metric is, where nothing says it: rate (requests per second), queueDepth or queueAge; may be given several times
    #[arg(long = "metric", value_name = "NAME=MEANING")]
    metrics: Vec<Named>,
    /// CPU for one request, in core-seconds: 5m is 5 ms of one core. Without it, metrics of CPU are left out
    #[arg(long, value_name = "QUANTITY")]
    cpu_per_request: Option<Amount>,
    /// CPU that each pod requests, such as 250m. It is the base of a utilization, and what --cpu-price counts
    #[arg(long, value_name = "QUANTITY")]
    pub(super) cpu_request: Option<Amount>,
}

/// Name of the policy that is judged, without its schedule.
pub(super) const RESOURCE: &str = "resource";
/// Name of the same with its schedule.
pub(super) const SCHEDULED: &str = "+schedule";
/// Name of the HPA that is live.
const CURRENT: &str = "current";

/// `NAME=MEANING`.
#[derive(Clone, Debug)]
struct Named(String, Meaning);

impl std::str::FromStr for Named {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORMS: &str = "write it as NAME=rate, NAME=queueDepth or NAME=queueAge";
        let (name, word) = text.rsplit_once('=').ok_or(FORMS)?;
        let meaning = match word {
            "rate" => Meaning::Rate,
            "queueDepth" => Meaning::QueueDepth,
            "queueAge" => Meaning::QueueAge,
            _ => return Err(FORMS),
        };
        Ok(Self(name.to_owned(), meaning))
    }
}

/// Reasons why a policy cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub(super) enum PolicyError {
    #[error(transparent)]
    Input(#[from] InputError),
    #[error("{0}")]
    Invalid(String),
    #[error("{file}: {source}")]
    Subject { file: String, source: SubjectError },
    #[error("{file}: it has {found}, and one VoiceAssistScaling or HorizontalPodAutoscaler is needed{hint}")]
    Count {
        file: String,
        found: String,
        hint: &'static str,
    },
    #[error("{file}: the HorizontalPodAutoscaler cannot be read: {source}")]
    Hpa { file: String, source: serde_json::Error },
}

impl CommandError for PolicyError {
    fn code(&self) -> Code {
        Code::Invalid
    }
}

/// The policies of the flags.
#[derive(Debug, Default)]
pub(super) struct Policies {
    pub(super) contenders: Vec<Contender>,
    /// Target of the first policy's request rate.
    pub(super) target: Option<f64>,
    pub(super) assumed: Vec<String>,
    pub(super) left_out: Vec<String>,
    /// What counts the requests of the first policy.
    pub(super) counted: Option<Counted>,
    /// The first policy as it is written; `None` for a plain HPA.
    pub(super) written: Option<Written>,
}

impl Policies {
    /// Adds a policy, and the same with its schedule. Its guesses are told with its name where there are `several`.
    fn add(&mut self, name: &str, subject: Subject, several: bool) {
        let told = |line: String| {
            if several { format!("{name}: {line}") } else { line }
        };
        self.assumed.extend(subject.assumed.into_iter().map(told));
        self.left_out.extend(subject.left_out.into_iter().map(told));
        let scheduled = if name == RESOURCE {
            SCHEDULED.to_owned()
        } else {
            format!("{name}{SCHEDULED}")
        };
        let mut add = |name: String, model: Model| {
            let policy = Policy::Hpa(Box::new(model));
            self.contenders.push(Contender { name, policy });
        };
        add(name.to_owned(), subject.model);
        if let Some(model) = subject.scheduled {
            add(scheduled, model);
        }
    }
}

impl PolicyArgs {
    /// Reads the policies: what is live, what the resource asks for, further files, constants and the optimum.
    ///
    /// # Errors
    /// When a file has none, or one that cannot be replayed.
    pub(super) fn read(&self, live: Option<&Live>) -> Result<Policies, PolicyError> {
        let mut policies = Policies::default();
        let several = self.filenames.len() + usize::from(live.is_some()) > 1;
        let ((subject, written), further) = match (live, self.filenames.split_first()) {
            (Some(live), _) => {
                let (current, resource) = self.of_cluster(live)?;
                if let Some(current) = current {
                    policies.add(CURRENT, current, several);
                }
                let written = self.written(&live.document);
                ((resource, Some(written)), self.filenames.as_slice())
            }
            (None, Some((first, further))) => (self.subject(first)?, further),
            (None, None) => return Ok(policies),
        };
        policies.written = written;
        policies.target = subject.target;
        policies.counted.clone_from(&subject.counted);
        policies.add(RESOURCE, subject, several);
        for file in further {
            policies.add(file, self.subject(file)?.0, several);
        }
        let constants = self.constants.iter().map(|replicas| Contender {
            name: format!("static={replicas}"),
            policy: Policy::Static(*replicas),
        });
        policies.contenders.extend(constants);
        policies.contenders.push(Contender {
            name: "optimum".to_owned(),
            policy: Policy::Optimum,
        });
        Ok(policies)
    }

    /// The HPA that is live, if there is one, and what the resource asks for.
    fn of_cluster(&self, live: &Live) -> Result<(Option<Subject>, Subject), PolicyError> {
        let mut resource = live.resource.clone();
        if self.environment.is_some() {
            resource.spec.environment.clone_from(&self.environment);
        }
        let validation = rules::validate(&resource);
        let Some(scaling) = &validation.scaling else {
            let broken: Vec<String> = validation.violations.iter().map(ToString::to_string).collect();
            return Err(PolicyError::Invalid(format!(
                "{} breaks a rule: {}",
                live.shown,
                broken.join("; ")
            )));
        };
        let wrong = |source| PolicyError::Subject {
            file: live.shown.clone(),
            source,
        };
        let (workload, hints) = (self.workload.as_deref(), self.hints());
        let wanted = subject::of_workload(scaling, &resource, workload, &hints).map_err(wrong)?;
        let current = live.hpa.as_ref();
        let current = current.map(|hpa| subject::of_live(hpa, scaling, &resource, workload, &hints));
        Ok((current.transpose().map_err(wrong)?, wanted))
    }

    fn hints(&self) -> Hints {
        let metrics = self
            .metrics
            .iter()
            .map(|Named(name, meaning)| (name.clone(), *meaning));
        Hints {
            metrics: metrics.collect(),
            cpu_per_request: self.cpu_per_request.map(Amount::value),
            cpu_request: self.cpu_request.map(Amount::milli),
        }
    }

    /// A resource as it is written, with what the flags say about it.
    fn written(&self, document: &Value) -> Written {
        Written {
            document: document.clone(),
            environment: self.environment.clone(),
            workload: self.workload.clone(),
            hints: self.hints(),
            // Who reads the cluster's flags says these.
            namespace: None,
            kubectl: Vec::new(),
        }
    }

    /// The policy of a file, and the resource as it is written there unless it is a plain HPA.
    fn subject(&self, file: &str) -> Result<(Subject, Option<Written>), PolicyError> {
        let input = Input::read(&[file.to_owned()])?;
        let hpas: Vec<&Value> = input
            .objects
            .iter()
            .map(|object| &object.value)
            .filter(|value| is_hpa(value))
            .collect();
        let named = |value: &&&Value| {
            let name = value.pointer("/metadata/name").and_then(Value::as_str);
            self.workload.is_none() || name == self.workload.as_deref()
        };
        let wrong = |source| PolicyError::Subject {
            file: file.to_owned(),
            source,
        };
        let ours = input.check(self.environment.as_deref());
        if let (Err(_), [_, ..]) = (&ours, hpas.as_slice()) {
            let chosen: Vec<&&Value> = hpas.iter().filter(named).collect();
            let [hpa] = chosen.as_slice() else {
                return Err(PolicyError::Count {
                    file: file.to_owned(),
                    found: format!("{} HorizontalPodAutoscalers", chosen.len()),
                    hint: ": name one with --workload",
                });
            };
            let read = serde_json::from_value::<HorizontalPodAutoscaler>((**hpa).clone());
            let hpa = read.map_err(|source| PolicyError::Hpa {
                file: file.to_owned(),
                source,
            })?;
            let subject = subject::of_hpa(&hpa, &self.hints()).map_err(wrong)?;
            return Ok((subject, None));
        }
        let mut ours = ours?;
        let (Some((object, document)), true) = (ours.pop(), ours.is_empty()) else {
            return Err(PolicyError::Count {
                file: file.to_owned(),
                found: "several VoiceAssistScalings".to_owned(),
                hint: ": give a file with the one alone",
            });
        };
        let parts = (&document.validation.scaling, &document.object, document.verdict());
        let (Some(scaling), Some(resource), Verdict::Warned | Verdict::Fine) = parts else {
            return Err(PolicyError::Invalid(report(object, &document).join("\n")));
        };
        let workload = self.workload.as_deref();
        let subject = subject::of_workload(scaling, resource, workload, &self.hints()).map_err(wrong)?;
        Ok((subject, Some(self.written(&object.value))))
    }
}

fn is_hpa(value: &Value) -> bool {
    let text = |field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default();
    text("kind") == "HorizontalPodAutoscaler" && text("apiVersion") == "autoscaling/v2"
}
