//! What a flow costs in a store that holds much already, next to one that holds little: F10.

use std::{path::Path, time::Duration};

use anyhow::{Context, bail};
use citadel_server::purposes;
use citadel_store::{Db, links};

use crate::{
    args::Options,
    figure::{Figure, Report, middle},
    fill::{self, BYTES_PER_COPY},
    flow::{self, PEOPLE},
    load,
    postgres::{Database, Postgres},
    read,
    server::{self, Home, Keys, Server},
};

/// A store with this many links, and its server. The server's folder goes before the database.
struct Store {
    links: u64,
    home: Home,
    keys: Keys,
    access_token: String,
    _database: Option<Database>,
}

/// What one turn at a store gave.
#[derive(Default)]
struct Costs {
    cpu: Vec<f64>,
    /// Empty on Postgres, whose log tells of every database at once.
    log: Vec<f64>,
    p50: Vec<f64>,
}

pub(crate) fn run(
    options: &Options,
    sizes: &[u64],
    on_postgres: bool,
    report: &mut Report,
) -> anyhow::Result<()> {
    let binary = server::binary(&options.server)?;
    let mut sizes = sizes.to_vec();
    sizes.sort_unstable();
    sizes.dedup();
    if sizes.len() < 2 {
        bail!("flat compares sizes: name two at least, as in --links 1e3,1e5");
    }
    let postgres = if on_postgres { Postgres::find("flat", report)? } else { None };
    match (&postgres, on_postgres) {
        (None, true) => return Ok(()),
        // Where a Postgres keeps its files is its own affair.
        (Some(_), _) => {}
        (None, false) => check_room(sizes.iter().sum())?,
    }
    let mut stores = Vec::new();
    for links in sizes {
        let what = format!("flat_{links}");
        let database = postgres.as_ref().map(|postgres| Database::new(postgres, &what)).transpose()?;
        stores.push(Store::filled(&binary, links, database, report)?);
    }
    let mut costs: Vec<Costs> = stores.iter().map(|_| Costs::default()).collect();
    let (_, user) = PEOPLE[1];
    for round in 0..=options.rounds {
        report.progress(&format!("flat: round {round} of {}", options.rounds));
        for (store, costs) in stores.iter().zip(&mut costs) {
            let server = store.start(&binary)?;
            let before = server.counters()?;
            let flows = flow::load(&server.program, &server.keys, user, 32, options.turn())?;
            let grown = server.counters()?.get("citadel_store_log_bytes_total").unwrap_or(&f64::NAN)
                - before.get("citadel_store_log_bytes_total").unwrap_or(&f64::NAN);
            let reads = read::of(&server, &store.access_token, 1, options.turn() / 4)?;
            server.program.stop()?;
            // The first round warms up: the files were just written.
            if round > 0 {
                costs.cpu.push(flows.cpu_micros());
                if postgres.is_none() {
                    costs.log.push(grown / flows.turns as f64);
                }
                costs.p50.push(reads.times.value_at_quantile(0.5) as f64);
            }
        }
    }
    for (name, beside, of) in [
        ("F10.cpu", "cpu_us_at_", (|costs| &costs.cpu) as fn(&Costs) -> &Vec<f64>),
        ("F10.log", "log_bytes_at_", |costs| &costs.log),
        ("F10.p50", "p50_us_at_", |costs| &costs.p50),
    ] {
        let (Some(small), Some(large)) = (costs.first(), costs.last()) else { continue };
        let ratios: Vec<f64> = of(large).iter().zip(of(small)).map(|(large, small)| large / small).collect();
        if ratios.is_empty() {
            continue;
        }
        let name = if postgres.is_some() { name.replace('.', ".postgres_") } else { name.to_owned() };
        let mut figure = Figure::of(name, "ratio", &ratios);
        for (store, costs) in stores.iter().zip(&costs) {
            figure = figure.beside(format!("{beside}{:e}", store.links as f64), middle(of(costs)));
        }
        report.add(figure);
    }
    Ok(())
}

impl Store {
    /// Makes a store, has one flow run in it, and copies its link.
    fn filled(
        binary: &Path,
        links: u64,
        database: Option<Database>,
        report: &Report,
    ) -> anyhow::Result<Self> {
        let home = database.as_ref().map_or_else(Home::new, Database::home)?;
        let server = Server::with_client(binary, &home)?;
        let (_, _, access_token) = flow::record(&server, PEOPLE[1].1)?;
        let keys = server.keys.clone();
        server.program.stop()?;
        let keyring = fill::keyring(&home)?;
        let db = match &database {
            Some(database) => Db::open(&database.config())?,
            None => fill::open(&home)?,
        };
        let tenant = fill::tenant(&keys)?;
        let hash = keyring.keyed_hash(purposes::ACCESS_TOKEN, &access_token);
        // Far more than it takes: some thousands a second.
        load::block_on_for(Duration::from_millis(links), async {
            let link = db.read(async move |tx| links::find_by_access_token(tx, tenant, &hash).await).await?;
            let link = link.context("the flow left no link")?;
            let mut told = 0;
            fill::rows(&db, tenant, link.id, links, |done| {
                if done * 10 / links > told {
                    told = done * 10 / links;
                    report.progress(&format!("flat: {done} of {links} links"));
                }
            })
            .await
        })?;
        Ok(Self { links, home, keys, access_token, _database: database })
    }

    fn start(&self, binary: &Path) -> anyhow::Result<Server> {
        let mut server = Server::start(binary, &self.home)?;
        server.keys = self.keys.clone();
        Ok(server)
    }
}

/// Refuses to begin what the disk cannot hold.
fn check_room(links: u64) -> anyhow::Result<()> {
    let folder = std::env::temp_dir();
    let disk =
        rustix::fs::statvfs(&folder).with_context(|| format!("cannot look at {}", folder.display()))?;
    let (needed, free) = (links.saturating_mul(BYTES_PER_COPY) + (1 << 30), disk.f_bavail * disk.f_frsize);
    if needed > free {
        let gibibytes = |bytes: u64| bytes.div_ceil(1 << 30);
        bail!(
            "{links} links need about {} GiB in {}, which has {} GiB free: name fewer with --links, or set TMPDIR to a \
             folder on a larger disk",
            gibibytes(needed),
            folder.display(),
            gibibytes(free),
        );
    }
    Ok(())
}
