//! `kill -9` at random moments: gateway, worker and PostgreSQL. Afterwards every accepted job is done or a dead letter, and no
//! result is there twice.
//!
//! `KILLS=200 KILL_SEED=7` changes how many moments there are and which; the seed is printed.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use sqlx::{Connection as _, PgConnection, types::Uuid};
use voiceassist::{
    database::migrate,
    generator::{Amounts, generate},
};

use crate::support::{Client, Process, Server, database_url, until};

/// Moments, unless `KILLS` says otherwise: about a minute.
const KILLS: u32 = 40;

const AMOUNTS: Amounts = Amounts {
    accounts: 10,
    messages: 0,
    documents: 0,
    audit_entries: 0,
    seed: 1,
};

/// Claims come back soon after a kill.
const WORKER: [&str; 6] = [
    "--visibility-timeout",
    "2s",
    "--idle-pause",
    "20ms",
    "--embedding-cost",
    "30ms",
];

#[tokio::test]
async fn no_accepted_job_is_lost_and_no_effect_happens_twice() {
    let kills = number("KILLS").map_or(KILLS, |kills| u32::try_from(kills).unwrap());
    let seed = number("KILL_SEED").unwrap_or_else(|| fastrand::u64(..));
    eprintln!("kill -9 at {kills} moments: KILL_SEED={seed} gives them again");
    let mut random = fastrand::Rng::with_seed(seed);

    let mut postgres = Server::postgres().await;
    let url = database_url(postgres.port, "postgres");
    migrate(&url).await.unwrap();
    generate(&url, AMOUNTS).await.unwrap();
    let mut gateway = Process::gateway(&url, &[]).await;
    let mut worker = Process::worker(&url, &WORKER).await;
    let mut client = Client::new(&gateway.address).logged_in("user0").await;

    let mut accepted: Vec<Uuid> = Vec::new();
    for _ in 0..kills {
        let moment = Duration::from_millis(random.u64(10..400));
        let sending = tokio::time::timeout(moment, async {
            loop {
                accepted.extend(upload(&client).await);
            }
        });
        let _ = sending.await;
        match random.u8(0..5) {
            0 => {
                postgres.kill();
                accepted.extend(upload(&client).await);
                postgres.start_again().await;
            }
            1 | 2 => {
                gateway.kill().await;
                gateway = Process::gateway(&url, &[]).await;
                client = Client::new(&gateway.address).with_token_of(&client);
            }
            _ => {
                worker.kill().await;
                worker = Process::worker(&url, &WORKER).await;
            }
        }
    }
    assert!(
        accepted.len() >= kills as usize,
        "{} jobs were accepted",
        accepted.len()
    );

    let mut connection = PgConnection::connect(&url).await.unwrap();
    let mut number = async |sql: &'static str| -> i64 {
        sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap()
    };
    until("no job waits", async || {
        (number("select count(*) from jobs where state = 'waiting'").await == 0).then_some(())
    })
    .await;
    let done = number("select count(*) from jobs where state = 'done'").await;
    let dead = number("select count(*) from jobs where state = 'dead'").await;
    eprintln!(
        "{} jobs were accepted; {done} are done, {dead} are dead letters",
        accepted.len()
    );
    assert_eq!(
        number("select count(*) from job_results").await,
        done,
        "each done job has one result"
    );
    let without = number(
        "select count(*) from jobs left join job_results on job_id = id where state = 'done' and job_id is null",
    );
    assert_eq!(without.await, 0);
    let twice = number(
        "select count(*) from (select document_id from chunks group by document_id having count(*) <> 1) as wrong",
    );
    assert_eq!(twice.await, 0, "a document of one piece has one piece");
    let lost = number(
        "select count(*) from jobs join documents on documents.id = (payload->>'document')::uuid
         where state = 'done' and indexed_at is null",
    );
    assert_eq!(lost.await, 0, "a job is done with its effect");
    let known: i64 = sqlx::query_scalar("select count(*) from jobs where id = any($1)")
        .bind(&accepted)
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(
        usize::try_from(known).unwrap(),
        accepted.len(),
        "what was accepted is there"
    );
    assert!(worker.operations("/healthz").await.is_some());
}

/// The job of an accepted document; nothing where the answer is none, or 503.
async fn upload(client: &Client) -> Option<Uuid> {
    let document = json!({"name": "n", "text": "asthma in children"});
    let request = client
        .request(Method::POST, "/api/documents")
        .timeout(Duration::from_secs(5));
    match client.try_send(request.json(&document)).await {
        Ok(answer) if answer.code == 201 => Some(answer.text("/job").parse().unwrap()),
        Ok(answer) => {
            assert!(answer.is_problem(503), "{answer:?}");
            None
        }
        Err(_) => None,
    }
}

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}
