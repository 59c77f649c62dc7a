//! The verbs of the audit trail.

use std::path::PathBuf;

use citadel_domain::{ClientId, ObjectId};
use clap::Subcommand;
use jiff::Timestamp;

#[derive(Subcommand)]
pub(crate) enum AuditVerb {
    /// Check that no entry was changed, removed, put in, moved or cut off.
    ///
    /// Each chain is checked from its first entry to its end, and against the heads that were copied out every hour. Only those
    /// tell that a chain was cut, or the whole database put back, by somebody who kept an earlier state of it: keep a copy of
    /// audit-heads.log, or the log of the server, where nobody who can write here can write.
    #[command(
        after_help = "Examples:\n  citadel audit verify\n  citadel audit verify --heads /mnt/elsewhere/audit-heads.log --json\n\nExit code 1 if something is wrong; the first entry that is, is named."
    )]
    Verify {
        /// The heads that were copied out; audit-heads.log in the data directory when absent.
        #[arg(long, value_name = "FILE")]
        heads: Option<PathBuf>,
        /// Print {"entries", "exported_heads", "findings"}.
        #[arg(long)]
        json: bool,
    },
    /// List entries, the newest first. That this was done is an entry too.
    #[command(
        after_help = "Examples:\n  citadel audit list --since 2026-11-01T00:00:00Z\n  citadel audit list --client 0190163d8694739bbe8c0a6b8d2b9a3e --act data_released --json"
    )]
    List {
        /// Id of the client; what the server does for no client when absent.
        #[arg(long, value_name = "ID")]
        client: Option<ClientId>,
        /// Not before this time.
        #[arg(long, value_name = "TIME")]
        since: Option<Timestamp>,
        /// Only this act, for example link_deleted.
        #[arg(long, value_name = "WORD")]
        act: Option<String>,
        /// Only what was done to this: the id of a link, a user, a key, an endpoint.
        #[arg(long, value_name = "ID")]
        object: Option<ObjectId>,
        /// Print a JSON array.
        #[arg(long)]
        json: bool,
    },
}
