//! Conducts a load in pods: creates the Job and what belongs to it, waits until all are ready, follows their logs, ends
//! all when one is lost or somebody asks for it, and removes the Job.
//!
//! Must not: leave the Job behind, except where this process is killed. Then it ends by itself and goes an hour later.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use k8s_openapi::api::{
    batch::v1::Job,
    core::v1::{Pod, Secret, Service},
};
use kube::{
    Api, Client,
    api::{DeleteParams, ListParams, PostParams},
};
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{
    barrier::Barrier,
    follow::{Heard, News, follow},
    objects::{self, OF_JOB, Order, PORT},
    parcel::Parcel,
    pod,
    workers::Workers,
};
use crate::{
    cluster::error::{ClusterError, answer},
    progress::{Line, Progress},
    token::Token,
};

/// Time between two looks at the pods.
const LOOK: Duration = Duration::from_secs(1);
/// News that wait to be read.
const NEWS: usize = 1024;
/// How long pods may take to end, beyond what is under way in them.
const ENDING: Duration = Duration::from_secs(30);

/// Why there is nothing to report.
#[derive(Debug, thiserror::Error)]
pub enum ConductError {
    /// The API server refuses something.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// An object of the load has no form, which no scenario brings about.
    #[error("cannot write an object of the load: {0}")]
    Form(#[from] serde_json::Error),
    /// The operating system has no random numbers.
    #[error("the operating system has no random numbers")]
    Random,
    /// Not all workers were ready in time, or one ended before the load began.
    #[error("the load was not begun: {0}")]
    NotBegun(String),
    /// Somebody asked for the end before the load began.
    #[error("interrupted before the load was begun")]
    Interrupted,
}

/// A load in pods.
struct Conducted<'a> {
    namespace: &'a str,
    client: &'a Client,
    order: &'a Order,
    job: String,
    /// The UID of the Job, which no other Job has or had.
    uid: String,
    workers: Workers,
    /// Workers whose logs are followed.
    followed: BTreeSet<u32>,
    followers: JoinSet<()>,
    /// What was said last of workers that are waited for.
    said: String,
}

/// Sends a load from pods, from the creation of the Job to its removal. When `stop` is cancelled, the pods are told to
/// end, and what they measured until then is the result.
///
/// # Errors
/// When the load was not begun.
pub async fn conduct(
    client: &Client,
    namespace: &str,
    order: &Order,
    parcel: Parcel,
    line: Line,
    stop: &CancellationToken,
    progress: &mut impl Progress,
) -> Result<Workers, ConductError> {
    let jobs: Api<Job> = Api::namespaced(client.clone(), namespace);
    let name = format!("vas-load-test-{}", random_name()?);
    let job = objects::job(order, &parcel, &name)?;
    let job = answer(
        "create the Job of the load",
        jobs.create(&PostParams::default(), &job),
    )
    .await?;
    progress.say(&format!(
        "job/{name} in namespace {namespace}: {} workers",
        order.workers
    ));
    let conducted = Conducted {
        namespace,
        client,
        order,
        job: name.clone(),
        uid: job.metadata.uid.clone().unwrap_or_default(),
        workers: Workers::new(order.workers),
        followed: BTreeSet::new(),
        followers: JoinSet::new(),
        said: String::new(),
    };
    let ended = tokio::select! {
        given = conducted.give(&job, parcel) => given,
        () = stop.cancelled() => Err(ConductError::Interrupted),
    };
    let ended = match ended {
        Ok(conducted) => conducted.until_the_end(line, stop, progress).await,
        Err(error) => Err(error),
    };
    if let Err(error) = remove(&jobs, &name).await {
        progress.say(&format!(
            "cannot remove job/{name} in namespace {namespace}: {error}; it ends and goes by itself"
        ));
    }
    ended
}

/// Letters and digits that no other Job has.
fn random_name() -> Result<String, ConductError> {
    let token = Token::random().map_err(|_| ConductError::Random)?;
    let letters = token.text().chars().filter(char::is_ascii_alphanumeric);
    Ok(letters
        .take(8)
        .map(|letter| letter.to_ascii_lowercase())
        .collect())
}

/// Removes the Job with all that belongs to it. One that is gone already is no failure.
async fn remove(jobs: &Api<Job>, name: &str) -> Result<(), ClusterError> {
    let removed = answer("remove the Job", jobs.delete(name, &DeleteParams::background())).await;
    match removed {
        Err(error) if !error.is_not_found() => Err(error),
        _ => Ok(()),
    }
}

impl Conducted<'_> {
    /// Gives the pods what they need. Without the Secret none of them starts.
    async fn give(self, job: &Job, parcel: Parcel) -> Result<Self, ConductError> {
        let (new, owner) = (PostParams::default(), objects::owner(job));
        let services: Api<Service> = Api::namespaced(self.client.clone(), self.namespace);
        let service = objects::service(&owner, &self.job)?;
        let service = answer(
            "create the Service at which the pods meet",
            services.create(&new, &service),
        )
        .await?;
        let address = service.spec.and_then(|spec| spec.cluster_ip);
        let address: IpAddr = address.and_then(|address| address.parse().ok()).ok_or_else(|| {
            ConductError::NotBegun("the Service at which the pods meet has no address".to_owned())
        })?;
        let token = Token::random().map_err(|_| ConductError::Random)?;
        let barrier = Barrier {
            meet: SocketAddr::new(address, PORT),
            token: token.text().to_owned(),
            workers: self.order.workers,
            within: self.order.start_within.as_secs(),
        };
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), self.namespace);
        let secret = objects::secret(&owner, &self.job, parcel, serde_json::to_vec(&barrier)?)?;
        answer(
            "create the Secret with the scenario",
            secrets.create(&new, &secret),
        )
        .await?;
        Ok(self)
    }

    async fn until_the_end(
        mut self,
        mut line: Line,
        stop: &CancellationToken,
        progress: &mut impl Progress,
    ) -> Result<Workers, ConductError> {
        let order = self.order;
        let (heard, mut news) = mpsc::channel(NEWS);
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let start = Instant::now() + order.start_within;
        let mut limit = start;
        let (mut begun, mut ending) = (false, false);
        while !self.workers.is_over() {
            let mut end = false;
            tokio::select! {
                Some((worker, news)) = news.recv() => {
                    if let Some(why) = self.hear(worker, news, progress) {
                        if !begun {
                            return Err(ConductError::NotBegun(why));
                        }
                        progress.say(&format!("{why}; the result proves nothing, and the others are told to end"));
                        end = true;
                    }
                }
                _ = looks.tick(), if !(ending || begun && self.follows_all()) => self.look(&heard, progress, begun).await,
                () = stop.cancelled(), if !ending => {
                    if !begun {
                        return Err(ConductError::Interrupted);
                    }
                    progress.say("stopping: waiting for the reports of the workers; a second signal stops at once");
                    end = true;
                }
                () = sleep_until(limit) => {
                    if !begun {
                        return Err(ConductError::NotBegun(self.missing(order)));
                    }
                    for worker in 0..order.workers {
                        self.workers.ended(worker, "nothing more was heard of it in time");
                    }
                }
            }
            if !begun && self.workers.has_begun() {
                begun = true;
                limit = Instant::now() + order.load + order.patience + ENDING;
            }
            if end && !ending {
                ending = true;
                self.workers.told_to_end();
                limit = limit.min(Instant::now() + order.patience + ENDING);
                let jobs: Api<Job> = Api::namespaced(self.client.clone(), self.namespace);
                if let Err(error) = remove(&jobs, &self.job).await {
                    progress.say(&format!("cannot end the pods: {error}"));
                }
            }
            for second in self.workers.seconds() {
                line.add(second, String::new());
                progress.second(&mut line);
            }
        }
        progress.end();
        Ok(self.workers)
    }

    /// Takes the news of a worker. The result says that it is lost, and why.
    fn hear(&mut self, worker: u32, news: News, progress: &mut impl Progress) -> Option<String> {
        match news {
            News::Begins => self.workers.restarted(worker),
            News::Line(line) => {
                if let Some(words) = self.workers.line(worker, &line) {
                    progress.say(&words);
                }
            }
            News::Ended { why } => {
                return self
                    .workers
                    .ended(worker, &why)
                    .then(|| format!("worker {worker} was lost: {why}"));
            }
        }
        None
    }

    /// Follows the logs of those that have begun to run. Before the load begins, says how many are ready and what the
    /// others wait for.
    async fn look(&mut self, heard: &Heard, progress: &mut impl Progress, begun: bool) {
        let waiting = if self.follows_all() {
            BTreeMap::new()
        } else {
            let Some(waiting) = self.follow_those_that_run(heard).await else {
                return;
            };
            waiting
        };
        if begun {
            return;
        }
        let ready = self.workers.ready();
        let mut words = format!("{ready} of {} workers are ready", self.order.workers);
        if let Some((worker, why)) = waiting.first_key_value() {
            words = format!("{words}; worker {worker}: {why}");
        }
        if words != self.said {
            progress.say(&words);
            self.said = words;
        }
    }

    /// Whether the log of each worker is followed, so that no list of pods says more. All have begun to run then.
    fn follows_all(&self) -> bool {
        u32::try_from(self.followed.len()) == Ok(self.order.workers)
    }

    /// Follows the logs of the pods that have begun to run. The result is what the others wait for, by their numbers;
    /// `None` where the pods could not be listed.
    async fn follow_those_that_run(&mut self, heard: &Heard) -> Option<BTreeMap<u32, String>> {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), self.namespace);
        let of_job = ListParams::default().labels(&format!("{OF_JOB}={}", self.job));
        // Such as an API server that is away: the next look comes soon, and each wait has a limit.
        let list = answer("list the pods of the load", pods.list(&of_job))
            .await
            .ok()?;
        let mut waiting = BTreeMap::new();
        for found in &list.items {
            let worker = pod::worker(found, &self.uid, self.order.workers);
            let (Some(worker), Some(name)) = (worker, found.metadata.name.clone()) else {
                continue;
            };
            if pod::has_log(found) || pod::ended(found).is_some() {
                if self.followed.insert(worker) {
                    self.followers
                        .spawn(follow(pods.clone(), name, worker, heard.clone()));
                }
            } else {
                waiting.insert(worker, pod::waiting(found));
            }
        }
        Some(waiting)
    }

    /// Who was not ready in time, in words.
    fn missing(&self, order: &Order) -> String {
        let starting = (0..order.workers).filter(|worker| self.workers.is_starting(*worker));
        let starting: Vec<String> = starting.map(|worker| worker.to_string()).collect();
        let within = order.start_within.as_secs();
        if starting.is_empty() {
            return format!("all workers were ready, and did not begin within {within} s");
        }
        format!(
            "within {within} s (--start-timeout) these workers were not ready: {}; last: {}",
            starting.join(", "),
            self.said
        )
    }
}
