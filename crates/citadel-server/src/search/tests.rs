use super::*;

/// The employers of the project, indexed.
struct Directory {
    rows: Vec<data::CompanyRow>,
    index: CompanyIndex,
}

impl Directory {
    fn new() -> Self {
        let rows = data::companies();
        let record = |row: &data::CompanyRow| CompanyRecord {
            id: row.id.clone(),
            name: row.name.clone(),
            domain: row.domain.clone(),
            synonyms: row.synonyms.clone(),
            popularity: row.popularity,
        };
        let index = CompanyIndex::new(rows.iter().map(record));
        Self { rows, index }
    }

    fn names(&self, query: &str) -> Vec<&str> {
        self.index.search(query, 10).into_iter().map(|hit| self.rows[hit.index].name.as_str()).collect()
    }

    #[track_caller]
    fn check(&self, query: &str, expected: &str) {
        let names = self.names(query);
        assert_eq!(names.first(), Some(&expected), "{query:?} found {names:?}");
    }

    #[track_caller]
    fn check_none(&self, query: &str) {
        assert_eq!(self.names(query), Vec::<&str>::new(), "{query:?}");
    }
}

#[test]
fn beginning_of_the_name() {
    let directory = Directory::new();
    directory.check("Facebook", "Facebook Demo");
    directory.check("fa", "Facebook Demo");
    directory.check("Facebook Demo", "Facebook Demo");
    directory.check("meta", "Meta");
    directory.check("home", "Home Depot");
    directory.check("goo", "Google");
    directory.check("walm", "Walmart");
    directory.check("am", "Amazon");
    directory.check("targ", "Target");
    directory.check("app", "Apple");
    directory.check("star", "Starbucks");
    directory.check("  STARB", "Starbucks");
    directory.check("new york ti", "New York Times");
    directory.check("us p", "US Postal Service");
}

#[test]
fn the_whole_name_wins_over_a_longer_one() {
    let directory = Directory::new();
    directory.check("gap", "Gap");
    directory.check("X", "X");
    directory.check("visa", "Visa");
    directory.check("mars", "Mars");
    directory.check("progressive", "Progressive");
    directory.check("New York University", "New York University");
    directory.check("columbia", "Columbia University");
}

#[test]
fn a_later_word() {
    let directory = Directory::new();
    directory.check("depot", "Home Depot");
    directory.check("berkel", "University of California");
    directory.check("lynch", "Bank of America");
    directory.check("postal", "US Postal Service");
    directory.check("freight", "Harbor Freight");
    directory.check("permanente", "Kaiser Permanente");
    directory.check("langone", "NYU Langone Health");
}

#[test]
fn words_in_any_order() {
    let directory = Directory::new();
    directory.check("depot home", "Home Depot");
    directory.check("bank of am", "Bank of America");
    directory.check("america bank", "Bank of America");
    directory.check("am ba of", "Bank of America");
    directory.check("michigan univ", "University of Michigan");
    directory.check("angeles city", "City of Los Angeles");
    directory.check("service postal united", "US Postal Service");
    directory.check("chase morgan", "JPMorgan Chase");
    directory.check("ben jerry", "Ben & Jerry's");
    directory.check("north face", "VF Corporation");
}

#[test]
fn other_names() {
    let directory = Directory::new();
    directory.check("usps", "US Postal Service");
    directory.check("post office", "US Postal Service");
    directory.check("chase", "JPMorgan Chase");
    directory.check("cvs", "CVS Health");
    directory.check("twitter", "X");
    directory.check("lausd", "Los Angeles Unified School District");
    directory.check("kentucky fr", "KFC");
    directory.check("tj maxx", "TJX Companies");
    directory.check("olive gar", "Darden Restaurants");
    directory.check("aws", "Amazon");
}

#[test]
fn domains() {
    let directory = Directory::new();
    directory.check("homedepot.com", "Home Depot");
    directory.check("usps.c", "US Postal Service");
    directory.check("https://www.starbucks.com/", "Starbucks");
    directory.check("WWW.chick-fil-a.com", "Chick-fil-A");
    directory.check("umich.edu", "University of Michigan");
    directory.check("facebook.com", "Facebook Demo");
    directory.check("jbhunt.com", "JB Hunt");
}

#[test]
fn signs_spaces_and_accents() {
    let directory = Directory::new();
    directory.check("mcdonalds", "McDonald's");
    directory.check("McDonald’s", "McDonald's");
    directory.check("mc donalds", "McDonald's");
    directory.check("at&t", "AT&T");
    directory.check("AT & T", "AT&T");
    directory.check("att", "AT&T");
    directory.check("ben and jerrys", "Ben & Jerry's");
    directory.check("ben & jerry's", "Ben & Jerry's");
    directory.check("barnes and noble", "Barnes & Noble");
    directory.check("h&m", "H&M");
    directory.check("hm", "H&M");
    directory.check("heb", "H-E-B");
    directory.check("coca cola", "Coca-Cola");
    directory.check("cocacola", "Coca-Cola");
    directory.check("wal-mart", "Walmart");
    directory.check("wal mart", "Walmart");
    directory.check("fed ex", "FedEx");
    directory.check("homedep", "Home Depot");
    directory.check("the home depot", "Home Depot");
    directory.check("the target", "Target");
    directory.check("U.S. Postal", "US Postal Service");
    directory.check("nestlé", "Nestle USA");
    directory.check("l'oréal", "L'Oreal USA");
    directory.check("L\u{27}Ore\u{301}al", "L'Oreal USA");
}

#[test]
fn small_typos() {
    let directory = Directory::new();
    directory.check("wallmart", "Walmart");
    directory.check("walmrt", "Walmart");
    directory.check("starbcks", "Starbucks");
    directory.check("starbuks", "Starbucks");
    directory.check("strabucks", "Starbucks");
    directory.check("amzon", "Amazon");
    directory.check("amazno", "Amazon");
    directory.check("gogle", "Google");
    directory.check("googel", "Google");
    directory.check("tarhet", "Target");
    directory.check("facebok", "Facebook Demo");
    directory.check("faecbook", "Facebook Demo");
    directory.check("costko", "Costco");
    directory.check("mcdonlads", "McDonald's");
    directory.check("mcdnalds", "McDonald's");
    directory.check("hoem depot", "Home Depot");
    directory.check("home deppt", "Home Depot");
    directory.check("wels fargo", "Wells Fargo");
    directory.check("bank of amercia", "Bank of America");
    directory.check("chipolte", "Chipotle Mexican Grill");
    directory.check("micorsotf", "Microsoft");
    directory.check("qalmart", "Walmart");
    directory.check("mc donlads", "McDonald's");
    directory.check("star bukcs", "Starbucks");
    // Still being typed.
    directory.check("starbk", "Starbucks");
    directory.check("univercity of mich", "University of Michigan");
}

#[test]
fn typos_are_forgiven_only_when_nothing_matches() {
    let directory = Directory::new();
    assert!(
        directory.names("ford").iter().all(|name| name.contains("Ford")),
        "{:?}",
        directory.names("ford")
    );
    let confidence = |query| directory.index.search(query, 1)[0].confidence;
    assert!(confidence("walmart") > confidence("walm"));
    assert!(confidence("walm") > confidence("walmrt"));
    assert!(confidence("walmrt") >= 0.5);
    assert!(confidence("micorsotf") > 0.0);
}

#[test]
fn nothing_there() {
    let directory = Directory::new();
    for query in ["", "   ", "zzqqxx", "%", "_", "%%", "🙂🙂", "\u{0}\u{7}", "'", "...", "\u{202e}", "wxz"]
    {
        directory.check_none(query);
    }
}

#[test]
fn strange_queries_are_only_text() {
    let directory = Directory::new();
    directory.check("walm\u{0}", "Walmart");
    directory.check("🙂 target 🙂", "Target");
    directory.check("target\u{200b}", "Target");
    directory.check("target%", "Target");
    // Not wildcards: the words around them must be there.
    directory.check_none("wal%rt");
    directory.check_none("t__get");
    directory.check_none("'; drop table companies; --");
    directory.check_none("{{xyzzy}}");
    for query in ["a".repeat(100_000), "\u{301}".repeat(100_000), "a ".repeat(5_000), "日本".repeat(200)] {
        directory.index.search(&query, 10);
    }
    directory.check(&format!("target{}", "\u{301}".repeat(100_000)), "Target");
    directory.check(&format!("{}zzz", "target ".repeat(40)), "Target");
}

#[test]
fn hits_are_distinct_limited_and_fall_in_confidence() {
    let directory = Directory::new();
    for query in
        ["a", "s", "st", "un", "university", "university of", "bank", "home depot", "amzon", "the", "c o"]
    {
        let hits = directory.index.search(query, 10);
        assert!(hits.len() <= 10 && !hits.is_empty(), "{query}");
        assert!(hits.is_sorted_by(|one, other| one.confidence >= other.confidence), "{query}");
        assert!(hits.iter().all(|hit| (0.0..=1.0).contains(&hit.confidence)), "{query}");
        let distinct: std::collections::HashSet<_> = hits.iter().map(|hit| hit.index).collect();
        assert_eq!(distinct.len(), hits.len(), "{query}");
        assert_eq!(hits, Directory::new().index.search(query, 10), "{query}");
        assert_eq!(hits[..1], directory.index.search(query, 1), "{query}");
    }
    assert!(directory.index.search("a", 0).is_empty());
    assert!(CompanyIndex::new([]).search("a", 10).is_empty());
    assert!(CompanyIndex::new([]).search("amazon", 10).is_empty());
}

#[test]
fn ties_do_not_depend_on_the_order_of_records() {
    let record = |name: &str| CompanyRecord {
        id: String::new(),
        name: name.to_owned(),
        domain: None,
        synonyms: Vec::new(),
        popularity: 1,
    };
    let names = ["Acme West", "Acme East", "Acme North"];
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let index = CompanyIndex::new(order.map(|at| record(names[at])));
        let found: Vec<_> = index.search("acme", 2).into_iter().map(|hit| names[order[hit.index]]).collect();
        assert_eq!(found, ["Acme East", "Acme North"]);
    }
}

#[test]
fn every_employer_is_found_by_each_of_its_names() {
    let directory = Directory::new();
    for row in &directory.rows {
        for name in std::iter::once(&row.name).chain(&row.synonyms).chain(&row.domain) {
            let names = directory.names(name);
            let place = names.iter().position(|found| *found == row.name);
            let most = if *name == row.name { 0 } else { 4 };
            assert!(place.is_some_and(|place| place <= most), "{name:?} of {:?} found {names:?}", row.name);
        }
    }
}

#[test]
fn providers_match_by_the_beginning_of_a_word() {
    let check = |query, expected: &[&str]| {
        let providers = data::providers();
        let matches = providers.iter().filter(|provider| {
            matches_provider(
                query,
                &provider.name,
                &provider.id,
                provider.domain.as_deref().unwrap_or_default(),
            )
        });
        let ids: Vec<_> = matches.map(|provider| provider.id.as_str()).collect();
        assert_eq!(ids, expected, "{query}");
    };
    check("adp", &["adp"]);
    check("TRUV", &["truv"]);
    check("bamboohr", &["bamboohr"]);
    check("Bamboo HR", &["bamboohr"]);
    check("hr bamb", &["bamboohr"]);
    check("quick books", &["quickbooks_payroll"]);
    check("square_payroll", &["square_payroll"]);
    check("https://gusto.com", &["gusto"]);
    check("successf", &["sap_successfactors"]);
    check("ayche", &[]);
    check("%", &[]);
    check("&", &[]);
    check("🙂", &[]);
    assert!(matches_provider(" ", "ADP", "adp", ""));
}
