//! Employer search in this process, next to SQLite's full-text search of the same names: F7.
//!
//! A search is one thread's work, so its time is told in CPU time of the thread: what others do on the machine hardly
//! counts.

#[path = "../../crates/citadel-server/benches/search/names.rs"]
mod names;

use std::process::Command;

use anyhow::{Context, ensure};
use citadel_server::search::CompanyIndex;
use rusqlite::Connection;

use crate::{
    args::Options,
    figure::{Figure, Report},
    signals,
    system::{self, thread_time},
};

/// The numbers of names along the curve. The goals are about the last.
const SIZES: [(&str, usize); 4] = [("1e3", 1_000), ("1e4", 10_000), ("1e5", 100_000), ("1e6", MOST)];
const MOST: usize = 1_000_000;

/// Hits asked for, as the widget does.
const TOP: usize = 10;

/// Different queries of a kind: 20 of them are the slowest hundredth.
const QUERIES: usize = 2_000;

/// Full-text search is so much slower that it gets fewer.
const FTS5_QUERIES: usize = 300;

pub(crate) fn run(options: &Options, report: &mut Report) -> anyhow::Result<()> {
    let kinds = |names: &[String]| {
        [
            ("F7.prefix", names::beginnings(names, QUERIES)),
            ("F7.typo", names::slips(names, QUERIES)),
            ("F7.miss", names::misses(QUERIES)),
            ("F7.one_letter", names::letters()),
        ]
    };
    let mut curves: [Vec<(&str, f64)>; 4] = Default::default();
    for (label, size) in SIZES {
        signals::check()?;
        report.progress(&format!("search: {size} names"));
        let names: Vec<String> = names::employers(size).map(|employer| employer.name).collect();
        let index = CompanyIndex::new(names::employers(size));
        let kinds = kinds(&names);
        for ((name, queries), curve) in kinds.iter().zip(&mut curves) {
            let rounds = times(options.rounds, queries, |query| Ok(index.search(query, TOP).len()))?;
            let slow = slow(&rounds);
            curve.push((label, slow.value));
            if size == MOST {
                let figure =
                    Figure { name: (*name).to_owned(), ..slow }.beside("p50_us", part(&rounds[0], 0.5));
                let point = |figure: Figure, (label, p99): &(&str, f64)| {
                    figure.beside(format!("p99_us_at_{label}"), *p99)
                };
                report.add(curve.iter().fold(figure, point));
            }
        }
        drop(index);
        if size == MOST {
            let [(_, beginnings), ..] = &kinds;
            let prefix = curves[0].last().context("the curve has points")?.1;
            against_fts5(options, report, &beginnings[..FTS5_QUERIES], prefix)?;
            let raw: usize = names.iter().map(String::len).sum();
            report.add(size_of_index(raw)?);
        }
    }
    Ok(())
}

/// The time of each query in microseconds, least first, for each round. Every round asks all of them three times, one
/// after another, and the least time of a query counts: the others were interrupted.
fn times(
    rounds: u32,
    queries: &[String],
    mut search: impl FnMut(&str) -> anyhow::Result<usize>,
) -> anyhow::Result<Vec<Vec<f64>>> {
    let round = |_| {
        let mut least = vec![f64::INFINITY; queries.len()];
        for _ in 0..3 {
            for (query, least) in queries.iter().zip(&mut least) {
                let start = thread_time();
                let hits = search(query)?;
                let micros = (thread_time() - start) * 1e6;
                ensure!(hits <= TOP, "{hits} hits in place of {TOP}");
                *least = micros.min(*least);
            }
        }
        least.sort_by(f64::total_cmp);
        Ok(least)
    };
    (0..rounds).map(round).collect()
}

fn part(sorted: &[f64], part: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    sorted.get((last as f64 * part).round() as usize).copied().unwrap_or(f64::NAN)
}

/// What 99 of 100 queries took at most.
fn slow(rounds: &[Vec<f64>]) -> Figure {
    let slow: Vec<f64> = rounds.iter().map(|times| part(times, 0.99)).collect();
    Figure::of("", "µs", &slow)
}

/// The same beginnings, asked of a full-text index in a file, as one would make it for this: names without a copy,
/// indexed by their beginnings too, and in order of popularity, so that the first rows found are the best.
fn against_fts5(
    options: &Options,
    report: &mut Report,
    beginnings: &[String],
    prefix: f64,
) -> anyhow::Result<()> {
    report.progress("search: SQLite's full-text search");
    let folder = tempfile::tempdir()?;
    let mut database = Connection::open(folder.path().join("names.db"))?;
    fill(&mut database).context("cannot make the full-text index")?;
    let mut statement =
        database.prepare("select rowid from names where names match ?1 order by rowid limit ?2")?;
    let hits = |query: &str| -> anyhow::Result<usize> {
        let rows = statement.query_map((as_fts5(query), TOP as i64), |row| row.get::<_, i64>(0))?;
        Ok(rows.collect::<Result<Vec<_>, _>>()?.len())
    };
    let rounds = times(options.rounds.min(3), beginnings, hits)?;
    let fts5 = slow(&rounds);
    let times: Vec<f64> = [fts5.value, fts5.min, fts5.max].iter().map(|micros| micros / prefix).collect();
    report.add(
        Figure::of("F7.fts5", "×", &times)
            .beside("fts5_p99_us", fts5.value)
            .beside("fts5_p50_us", part(&rounds[0], 0.5)),
    );
    Ok(())
}

fn fill(database: &mut Connection) -> rusqlite::Result<()> {
    database.execute_batch(
        "pragma journal_mode = wal;
         pragma synchronous = off;
         pragma cache_size = -262144;
         pragma mmap_size = 1073741824;
         create virtual table names using fts5(
             name, content = '', columnsize = 0, prefix = '1 2 3', tokenize = 'unicode61 remove_diacritics 2');",
    )?;
    let mut employers: Vec<_> = names::employers(MOST).collect();
    employers.sort_by_key(|employer| std::cmp::Reverse(employer.popularity));
    let transaction = database.transaction()?;
    {
        let mut insert = transaction.prepare("insert into names (rowid, name) values (?1, ?2)")?;
        for (rowid, employer) in (1_i64..).zip(&employers) {
            insert.execute((rowid, &employer.name))?;
        }
    }
    transaction.commit()?;
    database.execute_batch("insert into names (names) values ('optimize');")
}

/// Every word as it stands, and the last as a beginning.
fn as_fts5(query: &str) -> String {
    let words: Vec<_> =
        query.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" ") + "*"
}

/// Bytes of the index for each byte of the names, as what a new process grows by when it builds the index.
fn size_of_index(raw: usize) -> anyhow::Result<Figure> {
    let program = std::env::current_exe().context("this program has no path")?;
    let output =
        Command::new(program).arg("index-memory").output().context("cannot start this program again")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let bytes: u64 = String::from_utf8(output.stdout)?.trim().parse().context("a number of bytes")?;
    let ratio = bytes as f64 / raw as f64;
    Ok(Figure::one("F7.bytes", "ratio", ratio)
        .beside("index_bytes", bytes as f64)
        .beside("name_bytes", raw as f64))
}

/// Prints what this process grew by when it built the index.
pub(crate) fn print_index_memory() -> anyhow::Result<()> {
    let pid = std::process::id();
    let before = system::resident(pid)?;
    let index = CompanyIndex::new(names::employers(MOST));
    let grown = system::resident(pid)?.saturating_sub(before);
    ensure!(!index.search("a", TOP).is_empty(), "the index is empty");
    println!("{grown}");
    Ok(())
}
