//! Employer search: finds a company while its name is being typed. Pure: it knows records and text, and neither
//! storage nor HTTP.
//!
//! Start with [`CompanyIndex::search`]. It asks [`word_starts`] for prefixes, which is all that most queries need, then
//! tries words in any order, then a name written as one word, and only when all that failed forgives [`typo`]s.

pub mod data;
mod fold;
mod ranges;
#[cfg(test)]
mod tests;
mod typo;
mod word_starts;

use std::{cmp::Reverse, collections::HashMap, ops::Range};

use fold::{fold, joined};
use typo::Typed;
use word_starts::{Kind, WordStarts};

/// Longer queries are cut: nobody types them, and their cost must stay small.
const MAX_QUERY: usize = 200;

/// How many places are read, best first, before a search gives up.
const MAX_EXAMINED: usize = 1024;

/// The same where names that begin as typed were found, and others only fill the list.
const MAX_EXAMINED_TO_FILL: usize = 128;

/// A stretch up to this long is read as a whole: that takes no longer than to find a quarter of it best first.
const MAX_READ: usize = 512;

/// The first words of a query decide; the rest of an endless one is ignored where each word costs a look at each name.
const MAX_WORDS: usize = 12;

/// What one can find a company by.
#[derive(Clone, Debug)]
pub struct CompanyRecord {
    pub id: String,
    pub name: String,
    pub domain: Option<String>,
    /// Short, former and other names.
    pub synonyms: Vec<String>,
    /// 1 to 100; decides between names that match equally well.
    pub popularity: u32,
}

/// A company that matches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    /// Position in the records that the index was built from.
    pub index: usize,
    /// 0 to 1; from 0.5 on the match is a good one. Falls from hit to hit.
    pub confidence: f64,
}

/// Every company's names, built once and then only read.
pub struct CompanyIndex {
    starts: WordStarts,
    popularity: Vec<u8>,
}

impl CompanyIndex {
    pub fn new(records: impl IntoIterator<Item = CompanyRecord>) -> Self {
        let mut starts = WordStarts::builder();
        let mut popularity = Vec::new();
        for record in records {
            let weight = u8::try_from(record.popularity.min(100)).unwrap_or(100);
            popularity.push(weight);
            starts.begin_company(weight.into());
            let name = fold(&record.name);
            starts.add(Kind::Name, &name);
            for synonym in &record.synonyms {
                starts.add(Kind::Synonym, &fold(synonym));
            }
            for text in std::iter::once(&record.name).chain(&record.synonyms) {
                starts.add_joined(&joined(text));
            }
            if let Some(domain) = &record.domain {
                starts.add(Kind::Domain, &fold(domain));
            }
        }
        popularity.shrink_to_fit();
        Self { starts: starts.build(), popularity }
    }

    /// The companies that match what was typed so far, best first.
    pub fn search(&self, query: &str, limit: usize) -> Vec<Hit> {
        let raw: String = query.chars().take(MAX_QUERY).collect();
        let query = fold(without_address(&raw));
        if query.is_empty() || limit == 0 {
            return Vec::new();
        }
        let mut found = Found::default();
        self.by_prefix(&query, 0, limit, &mut found);
        let words: Vec<&str> = query.split(' ').take(MAX_WORDS).collect();
        if found.len() < limit && words.len() > 1 {
            self.by_words(&words, limit, &mut found);
            self.by_prefix(&joined(&raw), 20, limit, &mut found);
            if let Some(rest) = query.strip_prefix("the ") {
                self.by_prefix(rest, 10, limit, &mut found);
            }
        }
        if found.is_empty() {
            self.by_typos(&words, &mut found);
            // A mistyped name written in pieces; short ones are close to too much.
            let one_word = joined(&raw);
            if found.is_empty() && words.len() > 1 && one_word.len() >= 8 {
                self.by_typos(&[&one_word], &mut found);
            }
        }
        self.ranked(found, limit)
    }

    /// Names and parts of names that begin with the query. A whole name that is the query comes first.
    fn by_prefix(&self, query: &str, malus: u16, limit: usize, found: &mut Found) {
        if query.is_empty() {
            return;
        }
        let before = found.len();
        let begins = self.starts.with_prefix(query);
        for (company, score) in self.starts.best([self.starts.whole(query, begins.clone())]).take(limit) {
            found.add(company, score + 100 - malus);
        }
        for (company, score) in self.starts.best([begins]).take(MAX_EXAMINED) {
            if found.len() >= before + limit {
                break;
            }
            found.add(company, score - malus);
        }
    }

    /// Companies with a word for each word of the query, in any order and from any of their names.
    fn by_words(&self, words: &[&str], limit: usize, found: &mut Found) {
        let mut words: Vec<_> = words.iter().map(|word| (self.starts.with_prefix(word), *word)).collect();
        words.sort_by_key(|(places, _)| places.len());
        // The first word needs no look: its places are read. The next one is the least likely.
        let [(rarest, _), others @ ..] = words.as_slice() else { return };
        let has = |word: &str, company| self.starts.words_of(company).any(|known| known.starts_with(word));
        let has_others = |company| others.iter().all(|(_, word)| has(word, company));
        let most = if found.is_empty() { MAX_EXAMINED } else { MAX_EXAMINED_TO_FILL };
        let that: Box<dyn Iterator<Item = (u32, u16)>> = if rarest.len() <= MAX_READ {
            Box::new(self.starts.best_that(rarest.clone(), has_others).into_iter())
        } else {
            let best = self.starts.best(std::iter::once(rarest.clone())).take(most);
            Box::new(best.filter(|(company, _)| has_others(*company)))
        };
        let before = found.len();
        for (company, _) in that {
            if found.len() >= before + limit {
                break;
            }
            found.add(company, 620 + self.popularity(company));
        }
    }

    /// Companies with a word, perhaps mistyped, for each word of the query.
    fn by_typos(&self, words: &[&str], found: &mut Found) {
        let mut words: Vec<_> =
            words.iter().map(|word| (self.starts.with_prefix(word), Typed::new(word))).collect();
        // The mistyped word first: nothing begins so, and few words are like it.
        words.sort_by_key(|(places, _)| places.len());
        let mut rarest: Option<(usize, Vec<Range<usize>>)> = None;
        for (places, typed) in &words {
            let places = if typed.is_exact() { vec![places.clone()] } else { self.starts.similar(typed) };
            let size = places.iter().map(ExactSizeIterator::len).sum();
            if rarest.as_ref().is_none_or(|(least, _)| size < *least) {
                rarest = Some((size, places));
            }
            // Few enough to read them all: no other word tells more.
            if size <= MAX_EXAMINED {
                break;
            }
        }
        let Some((_, rarest)) = rarest else { return };
        for company in self.starts.some_of(rarest, MAX_EXAMINED) {
            if found.contains(company) {
                continue;
            }
            let cost =
                |typed: &Typed| self.starts.words_of(company).filter_map(|word| typed.cost(word)).min();
            // From the end: the first word is mostly the one whose places are read.
            let Some(cost) = words.iter().rev().map(|(_, typed)| cost(typed)).sum::<Option<u16>>() else {
                continue;
            };
            found.add(company, (560 + self.popularity(company)).saturating_sub(cost));
        }
    }

    fn popularity(&self, company: u32) -> u16 {
        self.popularity[company as usize].into()
    }

    fn ranked(&self, found: Found, limit: usize) -> Vec<Hit> {
        let mut hits: Vec<_> = found.0.into_iter().collect();
        let rank = |&(company, score): &(u32, u16)| Reverse((score, self.popularity(company)));
        let order = |one: &(u32, u16), other: &(u32, u16)| {
            let by_text = || self.starts.text_of(one.0).cmp(self.starts.text_of(other.0));
            rank(one).cmp(&rank(other)).then_with(by_text).then(one.0.cmp(&other.0))
        };
        if limit < hits.len() {
            hits.select_nth_unstable_by(limit, order);
            hits.truncate(limit);
        }
        hits.sort_unstable_by(order);
        let hit = |(company, score): (u32, u16)| Hit {
            index: company as usize,
            confidence: (f64::from(score) / 1000.0).min(1.0),
        };
        hits.into_iter().map(hit).collect()
    }
}

/// The best score of each company so far, in thousandths.
#[derive(Default)]
struct Found(HashMap<u32, u16>);

impl Found {
    fn add(&mut self, company: u32, score: u16) {
        let best = self.0.entry(company).or_default();
        *best = score.max(*best);
    }

    fn contains(&self, company: u32) -> bool {
        self.0.contains_key(&company)
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The words of a company's name, without an article and without what its legal form is called.
pub fn bare_name(name: &str) -> String {
    let folded = fold(name);
    let mut words: Vec<_> = folded.split(' ').collect();
    if let ["the", _, ..] = words[..] {
        words.remove(0);
    }
    while let [_, .., "inc" | "incorporated" | "llc" | "ltd" | "corp" | "corporation" | "co" | "company"] =
        words[..]
    {
        words.pop();
    }
    words.join(" ")
}

/// Whether a provider's name, id or domain has a word for each word of the query, or begins with all of it as one word.
/// An empty query matches every provider; signs alone match none.
pub fn matches_provider(query: &str, name: &str, id: &str, domain: &str) -> bool {
    let raw: String = query.chars().take(MAX_QUERY).collect();
    if raw.trim().is_empty() {
        return true;
    }
    let (folded, one_word) = (fold(without_address(&raw)), joined(&raw));
    let text = [fold(name), joined(name), fold(id), fold(domain)].join("\n");
    let has_word = |word: &str| words_of(&text).any(|candidate| candidate.starts_with(word));
    let by_words = !folded.is_empty() && folded.split(' ').all(has_word);
    by_words || (!one_word.is_empty() && text.lines().any(|line| line.starts_with(&one_word)))
}

fn words_of(text: &str) -> impl Iterator<Item = &str> {
    text.split([' ', '\n'])
}

/// People paste web addresses: what comes before the domain says nothing.
fn without_address(query: &str) -> &str {
    let mut rest = query.trim_start();
    for prefix in ["https://", "http://", "www."] {
        if let Some((head, tail)) = rest.split_at_checked(prefix.len())
            && head.eq_ignore_ascii_case(prefix)
        {
            rest = tail;
        }
    }
    rest
}
