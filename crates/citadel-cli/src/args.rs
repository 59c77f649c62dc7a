//! The table of verbs and their arguments.

mod audit;

use std::path::PathBuf;

use citadel_domain::{AccessKeyId, ClientId, Environment, LinkId};
use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

pub(crate) use self::audit::AuditVerb;
use crate::commands::dev_cert::Host;

/// Self-hosted, consumer-permissioned payroll data.
#[derive(Parser)]
#[command(
    name = "citadel",
    version,
    after_help = "Example:\n  citadel serve\n\nSettings come from citadel.toml and CITADEL_… variables: see `citadel config default`."
)]
pub(crate) struct Cli {
    /// Read this file instead of citadel.toml in the working directory.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Subcommand)]
pub(crate) enum Verb {
    /// Run the server until it is told to stop (Ctrl-C or SIGTERM).
    #[command(
        after_help = "Examples:\n  CITADEL_LISTEN=127.0.0.1:8700 citadel serve\n  citadel serve --ephemeral --print-env"
    )]
    Serve(Serve),
    /// Do background work for servers on the same Postgres, until told to stop: tasks, deliveries, what has lived its time.
    ///
    /// Nothing listens but CITADEL_METRICS_LISTEN, with /healthz, /readyz and /metrics. It takes the settings of the servers,
    /// above all their root key.
    #[command(
        after_help = "Examples:\n  CITADEL_DATABASE_URL=postgres://citadel@localhost/citadel citadel worker\n  CITADEL_DATABASE_URL=postgres://citadel@localhost/citadel citadel serve --no-worker"
    )]
    Worker,
    /// Bring the database to this release's schema, then stop.
    #[command(
        after_help = "Example:\n  CITADEL_DATABASE_URL=postgres://citadel@localhost/citadel citadel migrate"
    )]
    Migrate,
    /// Look at the configuration.
    #[command(after_help = "Example:\n  citadel config check")]
    Config {
        #[command(subcommand)]
        verb: ConfigVerb,
    },
    /// Make a certificate for this machine, so that apps can call the server by TLS.
    ///
    /// The first run makes an authority of its own, which only this machine should trust; each run makes a fresh certificate
    /// for the server. Nothing is sent anywhere, and no list of trusted authorities is changed: the commands for that are
    /// printed.
    #[command(
        after_help = "Examples:\n  citadel dev-cert\n  citadel dev-cert --host localhost --host 127.0.0.1 --dir cert --json\n\nThe key of the authority (ca-key.pem) must not leave this machine: whoever has it can pass for these hosts here."
    )]
    DevCert(DevCert),
    /// Companies that use the API.
    #[command(after_help = "Example:\n  citadel client create --name demo")]
    Client {
        #[command(subcommand)]
        verb: ClientVerb,
    },
    /// Access keys of a client.
    #[command(after_help = "Example:\n  citadel key list --client 0190163d8694739bbe8c0a6b8d2b9a3e")]
    Key {
        #[command(subcommand)]
        verb: KeyVerb,
    },
    /// Links that are kept past their limits.
    #[command(after_help = "Example:\n  citadel hold list --client 0190163d8694739bbe8c0a6b8d2b9a3e")]
    Hold {
        #[command(subcommand)]
        verb: HoldVerb,
    },
    /// Sealed backups of the embedded database.
    #[command(after_help = "Example:\n  citadel backup create /backup/citadel-2026-11-18.backup")]
    Backup {
        #[command(subcommand)]
        verb: BackupVerb,
    },
    /// Who did what: look, and check that nobody changed it.
    #[command(after_help = "Example:\n  citadel audit verify")]
    Audit {
        #[command(subcommand)]
        verb: AuditVerb,
    },
    /// Versions of the root key.
    #[command(after_help = "Example:\n  citadel root-key status")]
    RootKey {
        #[command(subcommand)]
        verb: RootKeyVerb,
    },
    /// Make a code with which an owner of the dashboard can be made, at its page /set-up.
    ///
    /// The code is good once, for an hour. The first start makes one by itself; this one is for a code that has run out, and for
    /// owners who cannot sign in any more.
    #[command(after_help = "Example:\n  citadel setup-code")]
    SetupCode {
        /// Print the code as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Bring webhooks to a program on this machine, until Ctrl-C.
    ///
    /// Connects to the server with API_CLIENT_ID and API_SECRET (and API_URL, if it is not the local server), and passes
    /// each event on exactly as it would be sent to an endpoint. After a broken connection it goes on where it was.
    #[command(
        after_help = "Example:\n  citadel listen --forward-to http://localhost:5001/webhook\n\nX-WEBHOOK-SIGN is made with the access secret, webhook-signature with the secret that --print-secret shows."
    )]
    Listen {
        /// Where to send the events.
        #[arg(long, value_name = "URL")]
        forward_to: String,
        /// Where the keys are, unless they are in the environment.
        #[arg(long, value_name = "FILE", default_value = ".env")]
        env_file: PathBuf,
        /// Begin after this `sequence`, 0 for everything. From now on when absent.
        #[arg(long, value_name = "SEQUENCE", value_parser = clap::value_parser!(i64).range(0..))]
        after: Option<i64>,
        /// Print the secret that checks webhook-signature. It stays the same for your environment.
        #[arg(long)]
        print_secret: bool,
    },
    /// People and pay of your sandbox.
    ///
    /// Each of these verbs is a call to the server, with API_CLIENT_ID and API_SECRET (and API_URL, if it is not the local
    /// server) from the environment or from `.env`.
    #[command(after_help = "Example:\n  citadel sandbox load scenarios.json")]
    Sandbox {
        #[command(subcommand)]
        verb: SandboxVerb,
    },
    /// Say what is wrong with this set-up and how to fix it.
    #[command(after_help = "Example:\n  citadel doctor\n\nExit code 1 if something is wrong.")]
    Doctor {
        /// Print the findings as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Print what a shell needs to complete verbs and options.
    #[command(
        hide = true,
        after_help = "Example:\n  citadel completions bash > /etc/bash_completion.d/citadel"
    )]
    Completions {
        /// For which shell.
        shell: Shell,
    },
    /// Write a man page for each verb.
    #[command(hide = true, after_help = "Example:\n  citadel man /usr/local/share/man/man1")]
    Man {
        /// The folder for the pages; it is made if it is missing.
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
}

#[derive(Args)]
pub(crate) struct Serve {
    /// Leave the background work to others: to `citadel worker`, or to servers without this.
    #[arg(long, conflicts_with = "ephemeral")]
    pub(crate) no_worker: bool,
    /// Keep nothing: a fresh store that is removed at the end, on free ports of this machine.
    ///
    /// For tests. citadel.toml is not read; CITADEL_LISTEN and CITADEL_METRICS_LISTEN choose other addresses.
    #[arg(long)]
    pub(crate) ephemeral: bool,
    /// Make a client with a sandbox key and print API_URL, BRIDGE_URL, API_CLIENT_ID and API_SECRET.
    ///
    /// CITADEL_READY=1 is the last line: from then on requests are taken.
    #[arg(long, requires = "ephemeral")]
    pub(crate) print_env: bool,
    /// Stop when the standard input ends, so that the server does not outlive the test that started it.
    #[arg(long, requires = "ephemeral")]
    pub(crate) stop_with_stdin: bool,
}

#[derive(Args)]
pub(crate) struct DevCert {
    /// Where the files go; dev-cert in the data directory when absent.
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// A name or IP address that the certificate is for. May be repeated; takes the place of the usual ones.
    ///
    /// The usual ones are localhost, 127.0.0.1, ::1, and the hosts that apps written for Citadel and Truv call:
    /// prod.citadelid.com, cdn.citadelid.com, prod.truv.com and cdn.truv.com.
    #[arg(long = "host", value_name = "NAME")]
    pub(crate) hosts: Vec<Host>,
    /// Print the files, the settings and the commands as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Subcommand)]
pub(crate) enum ConfigVerb {
    /// Check every setting; list every problem and every risk.
    #[command(after_help = "Example:\n  citadel --config /etc/citadel.toml config check")]
    Check {
        /// Print the result as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Print every setting with its default, as a commented file.
    #[command(after_help = "Example:\n  citadel config default > citadel.toml")]
    Default,
}

#[derive(Subcommand)]
pub(crate) enum ClientVerb {
    /// Make a client with a sandbox key. The secret is shown this once.
    #[command(
        after_help = "Examples:\n  citadel client create --name demo --json\n  citadel client create --name demo --write-env .env"
    )]
    Create {
        /// What to call the client; for your own lists.
        #[arg(long)]
        name: String,
        /// Print {"client_id", "sandbox"}.
        #[arg(long, conflicts_with = "write_env")]
        json: bool,
        /// Write API_CLIENT_ID and API_SECRET to this file (mode 0600), if they are empty there, instead of printing.
        #[arg(long, value_name = "FILE")]
        write_env: Option<PathBuf>,
        /// A web origin that may show the widget, for example `https://app.example.com`. May be repeated.
        #[arg(long = "origin", value_name = "URL")]
        origins: Vec<String>,
    },
    /// List the clients.
    #[command(after_help = "Example:\n  citadel client list --json")]
    List {
        /// Print a JSON array.
        #[arg(long)]
        json: bool,
    },
    /// Delete a client with its keys, links, people and reports. It cannot be brought back.
    #[command(
        after_help = "Example:\n  citadel client delete --client 0190163d8694739bbe8c0a6b8d2b9a3e --yes"
    )]
    Delete {
        /// Id of the client.
        #[arg(long, value_name = "ID")]
        client: ClientId,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Subcommand)]
pub(crate) enum BackupVerb {
    /// Take a backup, while the server runs or stands.
    ///
    /// One sealed file of the embedded database as it is at this moment. It opens with the root key, which is not in it.
    #[command(after_help = "Example:\n  citadel backup create /backup/citadel-2026-11-18.backup --json")]
    Create {
        /// Where it goes. The file must not exist; beside it there must be room for twice the database.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Print what is in it as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Open a backup and check its seal, the database in it, its schema and its rows.
    #[command(
        after_help = "Example:\n  citadel backup verify /backup/citadel-2026-11-18.backup\n\nExit code 1 if it is no good."
    )]
    Verify {
        /// The backup. Beside it there must be room for the database.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Print what is in it as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Put a backup into an empty data directory.
    ///
    /// Before anybody is served, what was deleted since the backup is deleted again, and keys that were revoked are revoked, as
    /// the ledger tells (deletions.log of the data directory that was in use). Without a ledger every token and session ends,
    /// and every key that is neither named nor confirmed. Public tokens that were not spent end in any case.
    #[command(
        after_help = "Examples:\n  citadel backup restore /backup/citadel.backup --ledger /old/data/deletions.log\n  citadel backup restore /backup/citadel.backup --without-ledger"
    )]
    Restore {
        /// The backup.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        ledger: Ledger,
        /// Print what came back, and what ended, as JSON.
        #[arg(long)]
        json: bool,
    },
    /// The second half of restore, for a Postgres that its own tools have brought back. No server may run meanwhile.
    #[command(
        after_help = "Example:\n  CITADEL_DATABASE_URL=postgres://citadel@localhost/citadel citadel backup settle --ledger ledger.txt"
    )]
    Settle {
        #[command(flatten)]
        ledger: Ledger,
        /// Print what ended as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Print the ledger of deletions: ids and times, nothing about anybody. Keep a copy apart from the backups.
    #[command(after_help = "Example:\n  citadel backup ledger > ledger.txt")]
    Ledger,
}

#[derive(Args)]
#[command(group(clap::ArgGroup::new("since").required(true).args(["ledger", "without_ledger"])))]
pub(crate) struct Ledger {
    /// What was deleted up to the end, as `backup ledger` or deletions.log has it.
    #[arg(long, value_name = "FILE")]
    pub(crate) ledger: Option<PathBuf>,
    /// Nobody knows what was deleted since: end every token and session, and ask for each key.
    #[arg(long)]
    pub(crate) without_ledger: bool,
    /// With --without-ledger: a key that was active to the end, and goes on. May be repeated; then nothing is asked.
    #[arg(long = "keep-key", value_name = "ID", conflicts_with = "ledger")]
    pub(crate) keep_keys: Vec<AccessKeyId>,
}

#[derive(Subcommand)]
pub(crate) enum RootKeyVerb {
    /// Show the versions of the root key and how much lies under each.
    #[command(after_help = "Example:\n  citadel root-key status --json")]
    Status {
        /// Print a JSON array.
        #[arg(long)]
        json: bool,
    },
    /// Make a new version of the root key and seal with it from now on.
    ///
    /// What lies under older versions is sealed anew in the background. On a Postgres the first run only writes the new version
    /// to the key file, to be copied to every node; the second run, when each node was started with it, puts it in use.
    #[command(after_help = "Example:\n  citadel root-key rotate")]
    Rotate {
        /// Print {"id", "is_in_use"}.
        #[arg(long)]
        json: bool,
    },
    /// Take a version out of the key file that nothing needs any more.
    #[command(after_help = "Example:\n  citadel root-key remove --version-id 5f0a91c3")]
    Remove {
        /// Id of the version, as `root-key status` shows it.
        #[arg(long = "version-id", value_name = "ID")]
        version: String,
    },
}

#[derive(Subcommand)]
pub(crate) enum KeyVerb {
    /// Make an access key; at most two are active per environment. The secret is shown this once.
    #[command(
        after_help = "Example:\n  citadel key create --client 0190163d8694739bbe8c0a6b8d2b9a3e --env sandbox"
    )]
    Create {
        /// Id of the client.
        #[arg(long, value_name = "ID")]
        client: ClientId,
        /// sandbox, dev or prod.
        #[arg(long, value_name = "ENVIRONMENT")]
        env: Environment,
        /// Tell its holder no more than the last four digits of social security, account and routing numbers, and no birth dates.
        #[arg(long)]
        masked: bool,
        /// Print `{"key_id", ENVIRONMENT}`.
        #[arg(long)]
        json: bool,
    },
    /// List a client's active keys, without secrets.
    #[command(after_help = "Example:\n  citadel key list --client 0190163d8694739bbe8c0a6b8d2b9a3e")]
    List {
        /// Id of the client.
        #[arg(long, value_name = "ID")]
        client: ClientId,
        /// Print a JSON array.
        #[arg(long)]
        json: bool,
    },
    /// Delete a key. It stops working at once, and so do the bridge tokens made with it.
    #[command(
        after_help = "Example:\n  citadel key delete --client 0190163d8694739bbe8c0a6b8d2b9a3e --key 01901640a1b27d0c8f3e5a6b7c8d9e0f"
    )]
    Delete {
        /// Id of the client.
        #[arg(long, value_name = "ID")]
        client: ClientId,
        /// Id of the key, as `key list` shows it.
        #[arg(long, value_name = "ID")]
        key: AccessKeyId,
    },
}

#[derive(Subcommand)]
pub(crate) enum HoldVerb {
    /// Keep a link and what belongs to it, whatever its age, until the hold is cleared.
    ///
    /// Consent ends as it does, and what the person or the client deletes is deleted all the same.
    #[command(
        after_help = "Example:\n  citadel hold set --client 0190163d8694739bbe8c0a6b8d2b9a3e --link 01901640a1b27d0c8f3e5a6b7c8d9e0f --reason \"case 26-114\""
    )]
    Set {
        /// Id of the client.
        #[arg(long, value_name = "ID")]
        client: ClientId,
        /// Id of the link.
        #[arg(long, value_name = "ID")]
        link: LinkId,
        /// Why, in one line, without anything about the person.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Let a link go: from then on its limits are those of any other.
    #[command(
        after_help = "Example:\n  citadel hold clear --client 0190163d8694739bbe8c0a6b8d2b9a3e --link 01901640a1b27d0c8f3e5a6b7c8d9e0f"
    )]
    Clear {
        /// Id of the client.
        #[arg(long, value_name = "ID")]
        client: ClientId,
        /// Id of the link.
        #[arg(long, value_name = "ID")]
        link: LinkId,
    },
    /// List what is held of a client, and why.
    #[command(after_help = "Example:\n  citadel hold list --client 0190163d8694739bbe8c0a6b8d2b9a3e --json")]
    List {
        /// Id of the client.
        #[arg(long, value_name = "ID")]
        client: ClientId,
        /// Print a JSON array.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Subcommand)]
pub(crate) enum SandboxVerb {
    /// Write pay as books that Beancount or hledger prove, or as a table.
    ///
    /// Everything that was ever paid up to the present day of your sandbox. The books assert each year-to-date figure and each
    /// box of a W-2; what does not add up is put into Equity:Unbalanced, and said.
    #[command(
        after_help = "Examples:\n  citadel sandbox export --format beancount --username goodlogin --output goodlogin.beancount\n  citadel sandbox export --format hledger --company --from 2026-01-01 | hledger -f- check --strict\n  citadel sandbox export --format csv --username goodlogin --provider adp --to 2025-12-31"
    )]
    Export(Export),
    /// Keep the scenarios of a file, each in place of the one with the same label.
    ///
    /// The file is one scenario, a list of them, or {"scenarios": [...]}. They are kept one after another; at the first that is
    /// refused it stops, and says what is wrong by line, and what was kept before.
    #[command(
        after_help = "Examples:\n  citadel sandbox load scenarios.json\n  make-scenarios | citadel sandbox load -\n\nExit code 1 if a scenario was refused."
    )]
    Load {
        /// JSON; - is the standard input.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Print a JSON array of {"id", "label", "is_new"}.
        #[arg(long)]
        json: bool,
        /// Where the keys are, unless they are in the environment.
        #[arg(long, value_name = "FILE", default_value = ".env")]
        env_file: PathBuf,
    },
    /// List the people who break integrations, and what each of them teaches.
    #[command(after_help = "Example:\n  citadel sandbox people --json")]
    People {
        /// Print a JSON array of {"username", "password", "teaches"}.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args)]
#[command(group(clap::ArgGroup::new("whose").required(true).args(["username", "company"])))]
pub(crate) struct Export {
    /// For which program.
    #[arg(long, value_enum)]
    pub(crate) format: ExportFormat,
    /// Whose pay: the user name of a login of the sandbox, or of a scenario.
    #[arg(long, value_name = "NAME")]
    pub(crate) username: Option<String>,
    /// The provider at which the person signs in; truv when absent.
    #[arg(long, value_name = "ID", conflicts_with = "company")]
    pub(crate) provider: Option<String>,
    /// The employer that the person picks.
    #[arg(long, value_name = "ID", conflicts_with = "company")]
    pub(crate) company_mapping_id: Option<String>,
    /// Everybody's pay at the company that administrators see.
    #[arg(long)]
    pub(crate) company: bool,
    /// The first pay day, as YYYY-MM-DD. What was paid since 1 January of its year is brought forward.
    #[arg(long, value_name = "DAY")]
    pub(crate) from: Option<String>,
    /// The last pay day.
    #[arg(long, value_name = "DAY")]
    pub(crate) to: Option<String>,
    /// Write here instead of to the standard output.
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Where the keys are, unless they are in the environment.
    #[arg(long, value_name = "FILE", default_value = ".env")]
    pub(crate) env_file: PathBuf,
}

#[derive(Clone, Copy, clap::ValueEnum)]
pub(crate) enum ExportFormat {
    /// Beancount 2 and 3.
    Beancount,
    /// hledger.
    Hledger,
    /// A table with a row per figure.
    Csv,
}
