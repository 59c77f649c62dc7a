//! How long the search for employers takes, and what it allocates, at a million names.

mod names;

use std::sync::LazyLock;

use citadel_server::search::CompanyIndex;
use divan::{AllocProfiler, Bencher, counter::ItemsCount};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

const NAMES: usize = 1_000_000;

/// Different queries per kind: one that is asked again finds everything in the processor's cache.
const QUERIES: usize = 2_000;

static KNOWN: LazyLock<Vec<String>> =
    LazyLock::new(|| names::employers(NAMES).map(|employer| employer.name).collect());

static INDEX: LazyLock<CompanyIndex> = LazyLock::new(|| CompanyIndex::new(names::employers(NAMES)));

fn main() {
    divan::main();
}

fn ask(bencher: Bencher, queries: Vec<String>) {
    let index = &*INDEX;
    let mut queries = queries.iter().cycle();
    bencher
        .with_inputs(|| queries.next().expect("there are queries"))
        .bench_local_values(|query| index.search(query, 10));
}

#[divan::bench(sample_count = 4_000, sample_size = 1)]
fn prefix(bencher: Bencher) {
    ask(bencher, names::beginnings(&KNOWN, QUERIES));
}

#[divan::bench(sample_count = 4_000, sample_size = 1)]
fn typo(bencher: Bencher) {
    ask(bencher, names::slips(&KNOWN, QUERIES));
}

#[divan::bench(sample_count = 4_000, sample_size = 1)]
fn miss(bencher: Bencher) {
    ask(bencher, names::misses(QUERIES));
}

#[divan::bench(sample_count = 4_000, sample_size = 1)]
fn one_letter(bencher: Bencher) {
    ask(bencher, names::letters());
}

#[divan::bench(args = [1_000, 100_000], sample_count = 3, sample_size = 1)]
fn build(bencher: Bencher, count: usize) {
    bencher.counter(ItemsCount::new(count)).bench_local(|| CompanyIndex::new(names::employers(count)));
}
