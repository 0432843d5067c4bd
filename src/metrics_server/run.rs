//! Starts the parts of the metrics server and stops them in the right order.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use kube::Client;
use prometheus_client::registry::Registry as MetricsRegistry;
use tokio::{
    net::TcpListener,
    sync::watch,
    task::{JoinError, JoinSet},
};
use tokio_util::sync::CancellationToken;

use crate::{
    auth::{
        authenticator::Authenticator,
        authn::CurrentTrust,
        authz::{Authorizer, CacheTtl},
        token_review::{NoRandomness, TokenReviewer},
        trust_watch,
    },
    certificate::{
        api_services::ApiServices, files::CertificateFiles, rotation::Times, secret::ServiceName,
        shared::CertificateRotator,
    },
    documents::Documents,
    fallback::{FallbackSettings, Fallbacks},
    metrics::{availability::Reporter, exported::Exported, reads::Memory, registry::Registry, watches},
    polling::{
        first_answers::FirstAnswers,
        intake::{self, Intake},
        poller::Poller,
        reload::{ReloadMetrics, Reloader},
    },
    router::Router,
    serving::{
        listener::{self, BindError},
        tls::{self, ServingCertificate},
    },
    telemetry::Telemetry,
};
use vas_cluster::{
    clock::Clock,
    leader::{self, LeaderConfig},
    telemetry::{
        api_requests::ApiRequests,
        exposed::Exposed,
        http::{self, Check, Endpoints, HttpError},
        process,
        scrapes::Scrapes,
    },
    watch::Scope,
};
use vas_core::{
    metrics::promql::ShapeLimits,
    monitoring::families::{Exporter, metrics_server as families},
};
use vas_prometheus::config::Configuration;

/// How long the secure port stays open after the replica has reported that it is not ready.
const NOT_READY_FIRST: Duration = Duration::from_secs(3);

/// The source of the serving certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// The replicas issue it themselves and share it in a Secret; they also write `caBundle` of the
    /// APIServices.
    Shared(Times),
    /// It is in files that somebody else renews, who also sets `caBundle`.
    Files(CertificateFiles),
}

/// The configuration of a metrics server.
pub struct Settings {
    /// The namespaces whose resources are served.
    pub scope: Scope,
    /// The Prometheus servers.
    pub prometheus: Configuration,
    /// Address of the secure port.
    pub secure_address: SocketAddr,
    /// Address of the plain port for metrics and health.
    pub metrics_address: SocketAddr,
    /// The Service under which clients reach us.
    pub service: ServiceName,
    /// The source of the serving certificate.
    pub certificate: Certificate,
    /// Whether external.metrics.k8s.io is served.
    pub external_metrics: bool,
    /// The adapters for reads that no resource describes.
    pub fallback: Option<FallbackSettings>,
    /// Upper limits for the number of different queries to Prometheus.
    pub shape_limits: ShapeLimits,
    /// How long answers of access reviews stay valid.
    pub review_ttl: CacheTtl,
    /// How long answers of token reviews stay valid.
    pub token_ttl: Duration,
    /// The election of the replica that reports `MetricsAvailable`; without one, this replica reports.
    pub election: Option<LeaderConfig>,
    /// The counts that the client keeps of its requests.
    pub api_requests: ApiRequests,
}

/// Why the server could not start, or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The secure port could not be opened.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The plain port could not be opened.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The TLS library refused its configuration.
    #[error("TLS could not be set up: {0}")]
    Tls(#[from] rustls::Error),
    /// The operating system gives no random numbers.
    #[error(transparent)]
    Random(#[from] NoRandomness),
    /// A background task ended, although none ever should.
    #[error("a background task ended: {}", .0.as_ref().map_or_else(|| "without an error".to_owned(), ToString::to_string))]
    Task(Option<JoinError>),
}

/// Runs until `stop` is cancelled.
///
/// # Errors
/// See [`RunError`].
pub async fn run(
    client: Client,
    settings: Settings,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) -> Result<(), RunError> {
    let mut metrics = MetricsRegistry::default();
    let reload_metrics = ReloadMetrics::new(&mut metrics);
    let parts = Parts::new(&settings, Telemetry::new(&mut metrics));
    settings
        .api_requests
        .register(&mut metrics, families::API_REQUESTS);
    process::register(&mut metrics, Exporter::MetricsServer);
    let (exported, time) = (Exported::new(parts.memory.clone()), clock.clone());
    let metrics = Arc::new(Scrapes::new(Exposed {
        registry: Arc::new(metrics),
        objects: Arc::new(move || exported.parts(time.monotonic())),
    }));
    let secure = listener::bind(settings.secure_address)?;
    let plain = http::bind(settings.metrics_address)?;
    let endpoints = Endpoints {
        live: http::always(),
        ready: parts.ready(),
        metrics: metrics.clone(),
    };
    let mut tasks = JoinSet::new();
    parts.spawn_watches(&mut tasks, &client, &settings.scope, clock.clone());
    parts.spawn_poller(&mut tasks, &settings, clock.clone(), stop.clone());
    parts.spawn_certificate(&mut tasks, &client, &settings, clock.clone());
    if let Some(reloader) = Reloader::of(
        &settings.prometheus,
        parts.memory.registry.clone(),
        parts.scalings_synced.clone(),
        reload_metrics,
        clock.clone(),
    ) {
        tasks.spawn(reloader.run());
    }
    tasks.spawn(http::serve(plain, endpoints, CancellationToken::new()));
    let election = settings
        .election
        .map(|config| leader::elect(client.clone(), config, clock.clone()));
    let reporter = Reporter {
        client: client.clone(),
        election,
        memory: parts.memory.clone(),
        api_services: parts.api_services.clone(),
        clock: clock.clone(),
    };
    let fallbacks = match settings.fallback {
        None => Fallbacks::default(),
        Some(fallback) => {
            let shared = (clock.clone(), parts.telemetry.clone());
            let namespace = &settings.service.namespace;
            Fallbacks::start(fallback, namespace, client.clone(), shared, &mut tasks)
        }
    };
    let closing = CancellationToken::new();
    // Tasks that finish their work when they are stopped; `tasks` are aborted when they are dropped.
    let mut orderly = JoinSet::new();
    orderly.spawn(reporter.run(stop.clone()));
    let authorizer = Authorizer::new(client.clone(), settings.review_ttl, clock.clone());
    let tokens = TokenReviewer::new(client, settings.token_ttl, clock.clone())?;
    let router = parts.router((tokens, authorizer), fallbacks, metrics, clock);
    parts.spawn_listener(&mut orderly, secure, router, closing.clone())?;
    let ended = tokio::select! {
        () = stop.cancelled() => Ok(()),
        Some(ended) = tasks.join_next() => Err(RunError::Task(ended.err())),
        Some(ended) = orderly.join_next() => Err(RunError::Task(ended.err())),
    };
    // After `stop`, a task may end before the select looks at `stop`: that is no error.
    let ended = if stop.is_cancelled() { Ok(()) } else { ended };
    stop.cancel();
    parts.stopping.store(true, Ordering::Relaxed);
    // Endpoints are updated with a delay, so requests still arrive for some seconds.
    tokio::time::sleep(NOT_READY_FIRST).await;
    closing.cancel();
    while orderly.join_next().await.is_some() {}
    ended
}

/// The state that the parts share.
struct Parts {
    memory: Memory,
    trust: Arc<CurrentTrust>,
    certificate: Arc<ServingCertificate>,
    api_services: Arc<ApiServices>,
    telemetry: Arc<Telemetry>,
    scalings_synced: Arc<watches::Synced>,
    pods_synced: Arc<watches::Synced>,
    first_answers: Arc<FirstAnswers>,
    stopping: Arc<AtomicBool>,
}

impl Parts {
    fn new(settings: &Settings, telemetry: Telemetry) -> Self {
        Self {
            memory: Memory {
                registry: Arc::new(Registry::new(settings.prometheus.servers.sources())),
                store: Arc::default(),
                pods: Arc::default(),
                resource_names: Arc::default(),
                external_metrics: settings.external_metrics,
            },
            trust: Arc::default(),
            certificate: Arc::default(),
            api_services: Arc::new(ApiServices::new(settings.service.clone())),
            telemetry: Arc::new(telemetry),
            scalings_synced: Arc::new(watch::channel(false).0),
            pods_synced: Arc::new(watch::channel(false).0),
            first_answers: Arc::default(),
            stopping: Arc::default(),
        }
    }

    /// Ready means that every read gets its right answer. Every query was sent to Prometheus once; Prometheus
    /// need not have answered. Without Prometheus the right answer is an error that says why.
    fn ready(&self) -> Check {
        let (scalings, pods) = (self.scalings_synced.subscribe(), self.pods_synced.subscribe());
        let (trust, certificate) = (self.trust.clone(), self.certificate.clone());
        let (stopping, first_answers) = (self.stopping.clone(), self.first_answers.clone());
        Arc::new(move || {
            let checks = [
                (!stopping.load(Ordering::Relaxed), "stopping"),
                (*scalings.borrow(), "voiceassistscalings are not listed yet"),
                (*pods.borrow(), "pods are not listed yet"),
                (
                    first_answers.are_in(),
                    "Prometheus is being asked for the first time",
                ),
                (trust.get().is_some(), "whom to trust is not read yet"),
                (certificate.is_set(), "there is no serving certificate yet"),
            ];
            let missing: Vec<&str> = checks
                .iter()
                .filter(|(done, _)| !done)
                .map(|(_, what)| *what)
                .collect();
            if missing.is_empty() {
                Ok(())
            } else {
                Err(missing.join("; "))
            }
        })
    }

    fn spawn_watches(&self, tasks: &mut JoinSet<()>, client: &Client, scope: &Scope, clock: Arc<dyn Clock>) {
        let (registry, synced) = (self.memory.registry.clone(), self.scalings_synced.clone());
        let intake = Intake::new(registry, Arc::default(), synced);
        let (api, in_scope) = (client.clone(), scope.clone());
        let telemetry = self.telemetry.clone();
        tasks.spawn(async move { intake::follow(api, &in_scope, intake, &telemetry.restarts).await });
        let (pods, synced) = (self.memory.pods.clone(), self.pods_synced.clone());
        let (api, in_scope) = (client.clone(), scope.clone());
        let telemetry = self.telemetry.clone();
        tasks.spawn(async move { watches::pods(api, &in_scope, pods, synced, &telemetry.restarts).await });
        let (names, registry) = (self.memory.resource_names.clone(), self.memory.registry.clone());
        let (api, changed) = (client.clone(), self.scalings_synced.subscribe());
        tasks.spawn(async move { names.follow(api, clock, registry, changed).await });
        let (api, trust) = (client.clone(), self.trust.clone());
        let telemetry = self.telemetry.clone();
        tasks.spawn(async move { trust_watch::follow(api, &trust, &telemetry.restarts).await });
    }

    fn spawn_poller(
        &self,
        tasks: &mut JoinSet<()>,
        settings: &Settings,
        clock: Arc<dyn Clock>,
        stop: CancellationToken,
    ) {
        let poller = Poller {
            servers: settings.prometheus.servers.clone(),
            registry: self.memory.registry.clone(),
            store: self.memory.store.clone(),
            pods: self.memory.pods.clone(),
            limits: settings.shape_limits,
            telemetry: self.telemetry.clone(),
            clock,
        };
        tasks.spawn(poller.run(self.scalings_synced.subscribe(), stop));
        let (first_answers, memory) = (self.first_answers.clone(), self.memory.clone());
        let lists = [self.scalings_synced.subscribe(), self.pods_synced.subscribe()];
        tasks.spawn(async move { first_answers.follow(&memory, lists).await });
    }

    fn spawn_certificate(
        &self,
        tasks: &mut JoinSet<()>,
        client: &Client,
        settings: &Settings,
        clock: Arc<dyn Clock>,
    ) {
        let (client, telemetry) = (client.clone(), self.telemetry.clone());
        let api_services = self.api_services.clone();
        match &settings.certificate {
            Certificate::Shared(times) => {
                let rotator = CertificateRotator {
                    client: client.clone(),
                    service: settings.service.clone(),
                    times: *times,
                    clock,
                    certificate: self.certificate.clone(),
                    api_services: api_services.clone(),
                    telemetry: telemetry.clone(),
                };
                tasks.spawn(rotator.run());
            }
            Certificate::Files(files) => {
                let certificate = self.certificate.clone();
                tasks.spawn(files.clone().follow(certificate, telemetry.clone()));
            }
        }
        tasks.spawn(async move { api_services.follow(&client, &telemetry).await });
    }

    fn router(
        &self,
        (tokens, authorizer): (TokenReviewer, Authorizer),
        fallbacks: Fallbacks,
        metrics: Arc<Scrapes>,
        clock: Arc<dyn Clock>,
    ) -> Router {
        Router {
            authenticator: Authenticator {
                trust: self.trust.clone(),
                tokens,
                clock: clock.clone(),
            },
            authorizer,
            documents: Documents::new(self.memory.external_metrics, metrics),
            memory: self.memory.clone(),
            fallbacks,
            scalings_synced: self.scalings_synced.subscribe(),
            ready: self.ready(),
            telemetry: self.telemetry.clone(),
            clock,
        }
    }

    fn spawn_listener(
        &self,
        tasks: &mut JoinSet<()>,
        listener: TcpListener,
        router: Router,
        stop: CancellationToken,
    ) -> Result<(), RunError> {
        let tls = tls::server_config(self.certificate.clone())?;
        tasks.spawn(listener::serve(listener, tls, Arc::new(router), stop));
        Ok(())
    }
}
