use super::{CompanyIndex, data};

fn first(query: &str) -> String {
    let rows = data::companies();
    let index = CompanyIndex::new(rows.iter().map(Into::into));
    index.search(query, 10).first().map_or(String::new(), |hit| rows[hit.index].name.clone())
}

fn check(cases: &[(&str, &str)]) {
    for (query, expected) in cases {
        assert_eq!(first(query), *expected, "{query:?}");
    }
}

#[test]
fn prefixes_of_names() {
    check(&[
        ("Facebook", "Facebook Demo"),
        ("faceb", "Facebook Demo"),
        ("home depot", "Home Depot"),
        ("home", "Home Depot"),
        ("walm", "Walmart"),
        ("STARBUCKS", "Starbucks"),
        ("  target  ", "Target"),
        ("amaz", "Amazon"),
        ("the home depot", "Home Depot"),
        ("homedepot", "Home Depot"),
        ("wellsfargo", "Wells Fargo"),
        ("goog", "Google"),
        ("appl", "Apple"),
        ("micros", "Microsoft"),
    ]);
}

#[test]
fn words_inside_and_in_any_order() {
    check(&[
        ("depot", "Home Depot"),
        ("depot home", "Home Depot"),
        ("fargo", "Wells Fargo"),
        ("fargo wells", "Wells Fargo"),
        ("bank of am", "Bank of America"),
        ("america bank", "Bank of America"),
        ("airlines delta", "Delta Air Lines"),
        ("johnson and johnson", "Johnson & Johnson"),
        ("postal", "United States Postal Service"),
    ]);
}

#[test]
fn nicknames_and_domains() {
    check(&[
        ("ups", "UPS"),
        ("usps", "United States Postal Service"),
        ("post office", "United States Postal Service"),
        ("united parcel", "UPS"),
        ("bofa", "Bank of America"),
        ("micky d", "McDonald's"),
        ("ibm", "IBM"),
        ("big blue", "IBM"),
        ("homedepot.com", "Home Depot"),
        ("walmart.com", "Walmart"),
        ("jpm", "JPMorgan Chase"),
        ("chase", "JPMorgan Chase"),
    ]);
}

#[test]
fn punctuation_and_accents() {
    check(&[
        ("mcdonalds", "McDonald's"),
        ("mcdonald's", "McDonald's"),
        ("at&t", "AT&T"),
        ("att", "AT&T"),
        ("lowes", "Lowe's"),
        ("lowe’s", "Lowe's"),
        ("nestle", "Nestlé USA"),
        ("nestlé", "Nestlé USA"),
        ("7 eleven", "7-Eleven"),
        ("7-11", "7-Eleven"),
        ("t mobile", "T-Mobile"),
        ("tmobile", "T-Mobile"),
    ]);
}

#[test]
fn small_typos() {
    check(&[
        ("walmrat", "Walmart"),
        ("wallmart", "Walmart"),
        ("starbuks", "Starbucks"),
        ("starbcuks", "Starbucks"),
        ("microsfot", "Microsoft"),
        ("amazom", "Amazon"),
        ("home deopt", "Home Depot"),
        ("facebok", "Facebook Demo"),
        ("googel", "Google"),
        ("tarrget", "Target"),
        ("costcoo", "Costco Wholesale"),
        ("wells frago", "Wells Fargo"),
        ("homedeopt", "Home Depot"),
    ]);
}

#[test]
fn nothing_for_nonsense() {
    check(&[
        ("", ""),
        ("   ", ""),
        ("%", ""),
        ("_", ""),
        ("' or 1=1 --", ""),
        ("zzzzqqqq", ""),
        ("\u{202e}\u{0}\u{1b}[31m", ""),
        ("🎉", ""),
    ]);
    assert_eq!(first(&"a".repeat(100_000)), "");
    assert_eq!(first(&"\u{301}".repeat(100_000)), "");
}

#[test]
fn answers_are_few_sure_and_the_same_every_time() {
    let rows = data::companies();
    let index = CompanyIndex::new(rows.iter().map(Into::into));
    let hits = index.search("a", 8);
    assert_eq!(hits.len(), 8);
    assert_eq!(hits, index.search("a", 8));
    assert!(hits.iter().all(|hit| hit.confidence > 0.0 && hit.confidence <= 1.0));
    assert!(index.search("Walmart", 1)[0].confidence > index.search("walmrat", 1)[0].confidence);
}
