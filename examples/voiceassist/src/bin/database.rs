//! `voiceassist-database`: migrations, and data to try the service with.
#![expect(clippy::print_stdout, reason = "a command prints what it did")]

use clap::{Parser, Subcommand};
use voiceassist::{
    database,
    generator::{Amounts, generate},
};

/// Migrations of VoiceAssist's database, and data to try the service with.
#[derive(Parser, Debug)]
struct Flags {
    /// Where PostgreSQL is: postgres://user:password@host:port/database
    #[arg(
        long,
        env = "DATABASE_URL",
        hide_env_values = true,
        global = true,
        default_value = ""
    )]
    database_url: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Bring the database to the newest migration
    Migrate,
    /// Load accounts and data; the same seed gives the same data. Does nothing where there are users already
    Generate(Amounts),
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let flags = Flags::parse();
    match &flags.command {
        Command::Migrate => database::migrate(&flags.database_url).await?,
        Command::Generate(amounts) => println!("{}", generate(&flags.database_url, *amounts).await?),
    }
    Ok(())
}
