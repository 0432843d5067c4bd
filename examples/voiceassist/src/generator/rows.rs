//! Rows of each table. Identifiers are made of the number of a row and the seed, so other tables can refer to them without a
//! list in memory.

use uuid::{Builder, Uuid};

use super::{Amounts, copy::Copy, words};
use crate::knowledge::{Embedder, pieces};

/// The data is of the 30 days before this moment: 2026-01-01, in milliseconds since 1970.
const END: u64 = 1_767_225_600_000;
const SPAN: u64 = 30 * 24 * 3_600_000;

const IN_SESSION: u32 = 10;

/// Kinds of rows; part of their identifiers.
#[derive(Clone, Copy)]
enum Kind {
    User = 1,
    Session,
    Message,
    Document,
    Entry,
}

/// Identifiers of all accounts.
pub(super) type Accounts = Vec<Uuid>;

pub(super) async fn users(
    copy: &mut Copy<'_>,
    amounts: Amounts,
    hash: &str,
) -> Result<Accounts, sqlx::Error> {
    let mut table = copy.table("users (id, email, role, password_hash)").await?;
    let mut accounts = Vec::new();
    for (role, first, count) in [
        ("user", 0, amounts.accounts - 2 * (amounts.accounts / 5)),
        ("power", 1 << 28, amounts.accounts / 5),
        ("admin", 1 << 29, amounts.accounts / 5),
    ] {
        for number in 0..count {
            let id = id(amounts, Kind::User, first + number, count);
            let email = format!("{role}{number}@voiceassist.example");
            table.row(&[&id, &email, &role, &hash]).await?;
            accounts.push(id);
        }
    }
    table.finish().await?;
    Ok(accounts)
}

pub(super) async fn sessions(
    copy: &mut Copy<'_>,
    amounts: Amounts,
    accounts: &Accounts,
) -> Result<(), sqlx::Error> {
    let mut table = copy
        .table("sessions (id, user_id, title, created_at, closed_at)")
        .await?;
    let count = amounts.messages.div_ceil(IN_SESSION);
    for number in 0..count {
        let (id, at) = (id(amounts, Kind::Session, number, count), at(number, count));
        // One in ten is open.
        let closed = if number % 10 == 0 {
            "\\N".to_owned()
        } else {
            at.clone()
        };
        let title = format!("about {}", words::topic(number));
        table
            .row(&[&id, &owner(accounts, number), &title, &at, &closed])
            .await?;
    }
    table.finish().await
}

pub(super) async fn messages(copy: &mut Copy<'_>, amounts: Amounts) -> Result<(), sqlx::Error> {
    let mut random = fastrand::Rng::with_seed(amounts.seed);
    let mut table = copy.table("messages (id, session_id, text, created_at)").await?;
    let (count, sessions) = (amounts.messages, amounts.messages.div_ceil(IN_SESSION));
    for number in 0..count {
        let words = random.usize(5..30);
        let (id, text) = (
            id(amounts, Kind::Message, number, count),
            words::text(&mut random, words),
        );
        let session = self::id(amounts, Kind::Session, number / IN_SESSION, sessions);
        table.row(&[&id, &session, &text, &at(number, count)]).await?;
    }
    table.finish().await
}

pub(super) async fn documents(
    copy: &mut Copy<'_>,
    amounts: Amounts,
    accounts: &Accounts,
) -> Result<(), sqlx::Error> {
    let mut table = copy
        .table("documents (id, owner_id, name, text, created_at, indexed_at)")
        .await?;
    let count = amounts.documents;
    for number in 0..count {
        let (id, at) = (id(amounts, Kind::Document, number, count), at(number, count));
        let name = format!("guideline {number} on {}", words::topic(number));
        let text = document(amounts, number);
        table
            .row(&[&id, &owner(accounts, number), &name, &text, &at, &at])
            .await?;
    }
    table.finish().await
}

/// Pieces as the worker makes them, so that a search finds something before a worker ran.
pub(super) async fn chunks(copy: &mut Copy<'_>, amounts: Amounts) -> Result<(), sqlx::Error> {
    let mut table = copy
        .table("chunks (document_id, position, text, embedding)")
        .await?;
    for number in 0..amounts.documents {
        let document_id = id(amounts, Kind::Document, number, amounts.documents);
        for (position, piece) in pieces(&document(amounts, number)).into_iter().enumerate() {
            let embedding: Vec<String> = Embedder::default()
                .embed(&piece)
                .await
                .iter()
                .map(ToString::to_string)
                .collect();
            let embedding = format!("{{{}}}", embedding.join(","));
            table.row(&[&document_id, &position, &piece, &embedding]).await?;
        }
    }
    table.finish().await
}

pub(super) async fn audit_log(
    copy: &mut Copy<'_>,
    amounts: Amounts,
    accounts: &Accounts,
) -> Result<(), sqlx::Error> {
    let mut table = copy
        .table("audit_log (id, actor_id, action, subject, created_at)")
        .await?;
    let count = amounts.audit_entries;
    for number in 0..count {
        let id = id(amounts, Kind::Entry, number, count);
        let action = if number % 20 == 0 { "flag.set" } else { "login" };
        let subject = format!("user{}@voiceassist.example", number % amounts.accounts);
        table
            .row(&[
                &id,
                &owner(accounts, number),
                &action,
                &subject,
                &at(number, count),
            ])
            .await?;
    }
    table.finish().await
}

pub(super) async fn feature_flags(copy: &mut Copy<'_>) -> Result<(), sqlx::Error> {
    let mut table = copy.table("feature_flags (name, enabled)").await?;
    for (name, enabled) in [
        ("beta", false),
        ("voice", true),
        ("search-by-embedding", true),
        ("dark-mode", true),
    ] {
        table.row(&[&name, &enabled]).await?;
    }
    table.finish().await
}

fn document(amounts: Amounts, number: u32) -> String {
    let mut random = fastrand::Rng::with_seed(amounts.seed ^ u64::from(number).rotate_left(32));
    let words = random.usize(100..600);
    format!("{} {}", words::topic(number), words::text(&mut random, words))
}

fn owner(accounts: &Accounts, number: u32) -> Uuid {
    let index = number as usize % accounts.len().max(1);
    accounts.get(index).copied().unwrap_or_default()
}

/// The moment of row `number` of `count`, in milliseconds since 1970: rows are spread evenly over the span.
fn moment(number: u32, count: u32) -> u64 {
    END - SPAN + SPAN * u64::from(number % count.max(1)) / u64::from(count.max(1))
}

fn at(number: u32, count: u32) -> String {
    // PostgreSQL reads no milliseconds since 1970, but any fraction of a day after a date.
    let passed = moment(number, count) - (END - SPAN);
    let (day, rest) = (passed / 86_400_000, passed % 86_400_000);
    let (hours, minutes, seconds) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60);
    // The span begins on 2025-12-02.
    format!(
        "2025-12-{:02} {hours:02}:{minutes:02}:{seconds:02}.{:03}+00",
        day + 2,
        rest % 1000
    )
}

/// The identifier of a row: version 7, of its moment, and otherwise of its kind, number and the seed.
fn id(amounts: Amounts, kind: Kind, number: u32, count: u32) -> Uuid {
    let mut random = fastrand::Rng::with_seed(amounts.seed ^ (kind as u64) << 40 ^ u64::from(number));
    let mut bytes = [0; 10];
    random.fill(&mut bytes);
    Builder::from_unix_timestamp_millis(moment(number, count), &bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    const AMOUNTS: Amounts = Amounts {
        accounts: 10,
        messages: 100,
        documents: 5,
        audit_entries: 5,
        seed: 1,
    };

    #[test]
    fn the_same_seed_gives_the_same_rows_and_another_seed_others() {
        let of = |seed| id(Amounts { seed, ..AMOUNTS }, Kind::Message, 7, 100);
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
        assert_ne!(of(1), id(AMOUNTS, Kind::Session, 7, 100));
        assert_eq!(document(AMOUNTS, 3), document(AMOUNTS, 3));
    }

    #[test]
    fn identifiers_grow_with_time_and_times_are_those_of_the_span() {
        assert!(id(AMOUNTS, Kind::Message, 1, 100) < id(AMOUNTS, Kind::Message, 2, 100));
        assert_eq!(at(0, 100), "2025-12-02 00:00:00.000+00");
        assert_eq!(at(99, 100), "2025-12-31 16:48:00.000+00");
    }
}
