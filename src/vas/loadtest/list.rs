//! `vas test list`, `show` and `schema`: the built-in scenarios, and the JSON schemas of files.

use clap::ValueEnum;
use serde_json::{Value, json};

use crate::{
    exit::{Code, Ended, Failure},
    output,
};
use vas_loadtest::{
    report,
    scenario::{
        builtin::{self, ANY_SERVICE, BUILTIN, SUITES, VOICEASSIST},
        duration,
        plan::{self, sparkline},
        schema,
    },
    selection::{load, load_to_show},
};

/// List the scenarios that come with vas
#[derive(Debug, clap::Args)]
pub(super) struct ListArgs {
    /// Output format
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    output: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A picture of each load.
    Text,
    /// One object: scenarios and suites.
    Json,
}

/// Print a scenario of vas, to be saved and changed, or what a file of yours will do
///
/// A file is read as a run reads it, and everything that is wrong with it is said. Variables of the environment need not
/// be set: they are listed. Nothing is sent.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  vas test show load > my-load.yaml
  vas test show my-load.yaml
  vas test run my-load.yaml --target http://localhost:8080")]
pub(super) struct ShowArgs {
    /// A scenario of `vas test list`, or a file
    #[arg(value_name = "SCENARIO|FILE")]
    name: String,
}

/// Print the JSON schema of scenario files, or of JSON reports, for editors and checks
#[derive(Debug, clap::Args)]
pub(super) struct SchemaArgs {
    /// Which files: scenarios, or reports
    #[arg(value_enum, default_value_t = Form::Scenario)]
    of: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// What `vas test run` reads.
    Scenario,
    /// What it writes with `-o json=FILE`.
    Report,
}

impl ListArgs {
    pub(super) fn run(&self) -> Ended {
        if self.output == Format::Json {
            return json();
        }
        let mut text = String::new();
        for (head, names) in [
            (
                "for any HTTP service (--path chooses what is requested)",
                ANY_SERVICE,
            ),
            ("for VoiceAssist's API", VOICEASSIST),
        ] {
            text.push_str(head);
            text.push('\n');
            for name in names {
                text.push_str(&line(name));
            }
            text.push('\n');
        }
        for (name, members) in SUITES {
            let line = format!("{name:<15} suite: {}\n", members.join(", "));
            text.push_str(&line);
        }
        print(&text)
    }
}

impl ShowArgs {
    pub(super) fn run(&self) -> Ended {
        if let Some(builtin) = builtin::find(&self.name) {
            return print(builtin.text);
        }
        let scenario = load_to_show(&self.name).map_err(Failure::invalid)?;
        print(&plan::render(&scenario, "the URL of --target"))
    }
}

impl SchemaArgs {
    pub(super) fn run(&self) -> Ended {
        let schema = match self.of {
            Form::Scenario => schema::published(),
            Form::Report => report::json::schema(),
        };
        print(&format!("{schema:#}\n"))
    }
}

/// The lines of one scenario: what it is, and a picture of its load.
fn line(name: &str) -> String {
    let Ok(scenario) = load(name) else {
        return String::new();
    };
    let profile = scenario.load.profile();
    let unit = if scenario.load.has_schedule() {
        "per second"
    } else {
        "users"
    };
    format!(
        "{name:<15} {:>6.0} {unit:<10} {:>6}  {}\n{:<15} |{}|\n",
        profile.peak(),
        duration::format(profile.duration()),
        scenario.description,
        "",
        sparkline(profile),
    )
}

/// Prints the output of `vas test list -o json`.
fn json() -> Ended {
    let scenarios: Vec<Value> = BUILTIN
        .iter()
        .filter_map(|builtin| Some((builtin.name, load(builtin.name).ok()?)))
        .map(|(name, scenario)| {
            let profile = scenario.load.profile();
            let model = if scenario.load.has_schedule() {
                "open"
            } else {
                "closed"
            };
            let thresholds: Vec<String> = scenario.thresholds.iter().map(ToString::to_string).collect();
            json!({
                "name": name,
                "description": scenario.description,
                "anyService": ANY_SERVICE.contains(&name),
                "model": model,
                "peak": profile.peak(),
                "durationSeconds": profile.seconds(),
                "thresholds": thresholds,
            })
        })
        .collect();
    let suites: Vec<Value> = SUITES
        .iter()
        .map(|(name, members)| json!({"name": name, "scenarios": members}))
        .collect();
    print(&format!(
        "{:#}\n",
        json!({"scenarios": scenarios, "suites": suites})
    ))
}

fn print(text: &str) -> Ended {
    output::text(text)?;
    Ok(Code::Success)
}
