//! What is asked, and in which variants.

use sqlx::AssertSqlSafe;

use crate::{
    arguments::Size,
    load::{self, Measured, Request},
    world::{Off, Variant, World},
};

/// One kind of request.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// By how many percent the report says that it became faster.
    pub(crate) claim: f64,
    /// What makes a difference to it.
    pub(crate) matters: &'static [Off],
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Login,
    History,
    Audit,
    Documents,
    Flags,
    Search,
}

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "login",
        claim: 70.0,
        matters: &[Off::Indexes],
        kind: Kind::Login,
    },
    Case {
        name: "history",
        claim: 80.0,
        matters: &[Off::Indexes, Off::Paging, Off::Rows],
        kind: Kind::History,
    },
    Case {
        name: "audit log",
        claim: 60.0,
        matters: &[Off::Indexes, Off::Paging, Off::Rows],
        kind: Kind::Audit,
    },
    Case {
        name: "documents",
        claim: 60.0,
        matters: &[Off::Indexes, Off::Paging, Off::Rows],
        kind: Kind::Documents,
    },
    Case {
        name: "flags",
        claim: 99.0,
        matters: &[Off::Indexes, Off::Cache],
        kind: Kind::Flags,
    },
    Case {
        name: "search",
        claim: 99.5,
        matters: &[Off::Indexes, Off::Cache],
        kind: Kind::Search,
    },
];

/// Rows of a page, and rows before it: somebody who reads what is old.
const ROWS: u32 = 20;
const DEPTH: u32 = 400;

/// A variant of a case with so many users.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) variant: &'static str,
    pub(crate) users: u32,
    /// Nothing if `vas test` called each of its attempts INVALID.
    pub(crate) measured: Option<Measured>,
}

/// Measures the variants one after the other with each number of users, so that what else the machine does meets all alike.
pub(crate) async fn measure(world: &World, gateways: &[Variant], case: &Case, size: Size) -> Vec<Row> {
    let variants = gateways.iter().filter(|variant| match variant.off {
        [one] => case.matters.contains(one),
        _ => true,
    });
    let variants: Vec<&Variant> = variants.collect();
    // Each gateway takes the tokens of each other one.
    let Some(any) = variants.first() else {
        return Vec::new();
    };
    let tokens = world.tokens(&any.gateway).await;
    let mut rows = Vec::new();
    for users in size.users {
        for variant in &variants {
            let request = case.kind.request(world, variant, tokens.clone()).await;
            let run = async || load::run(world, variant, &request, *users, size.seconds).await;
            let measured = load::valid(run).await;
            eprintln!(
                "bench: {}, {}, {users} users: {measured:?}",
                case.name, variant.name
            );
            rows.push(Row {
                variant: variant.name,
                users: *users,
                measured,
            });
        }
    }
    rows
}

impl Kind {
    async fn request(&self, world: &World, variant: &Variant, [user, admin]: [String; 2]) -> Request {
        let get = |path: String, token: &str| Request {
            step: format!("{{name: it, get: '{path}'}}"),
            token: token.to_owned(),
        };
        match self {
            Self::Login => Request {
                step: r#"{name: it, post: /api/auth/login, body: '{"email":"user{{user}}@voiceassist.example","password":"load-test"}'}"#
                    .to_owned(),
                token: user,
            },
            Self::History => {
                let after = after(world, variant, &format!("messages where session_id = '{}'", world.session)).await;
                get(format!("/api/sessions/{}/messages?limit={ROWS}&after={after}", world.session), &user)
            }
            Self::Audit => {
                let after = after(world, variant, &format!("audit_log where actor_id = '{}'", world.admin)).await;
                get(format!("/api/admin/audit-log?actor={}&limit={ROWS}&after={after}", world.admin), &admin)
            }
            Self::Documents => {
                let after = after(world, variant, "documents").await;
                get(format!("/api/documents?limit={ROWS}&after={after}"), &admin)
            }
            Self::Flags => get("/api/feature-flags".to_owned(), &user),
            Self::Search => get("/api/search?q=asthma%20in%20children".to_owned(), &user),
        }
    }
}

/// Where the page begins, as the variant's own answers would say it.
async fn after(world: &World, variant: &Variant, rows: &str) -> String {
    if variant.off.contains(&Off::Paging) {
        return uuid::Uuid::from_u128(u128::from(DEPTH)).to_string();
    }
    let sql = format!(
        "select id::text from {rows} order by id desc offset {} limit 1",
        DEPTH - 1
    );
    let id = sqlx::query_scalar(AssertSqlSafe(sql));
    id.fetch_one(&mut world.connection().await).await.unwrap()
}
