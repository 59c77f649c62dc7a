//! Invented employers and what people type to find them, the same in every run.
//!
//! Words are as common as in a real register: a few stand in most names ("Inc", "of"), surnames and towns follow Zipf's
//! law, and the tail is long.

use citadel_server::search::CompanyRecord;

/// Numbers that look random and are the same for the same seed (SplitMix64).
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 up to the end, which is left out.
    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).expect("less than a usize")
    }

    /// 0 to 1.
    fn part(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len())]
    }

    /// A rank from 1 to the most. The second is half as common as the first, the third a third.
    fn rank(&mut self, most: f64) -> u64 {
        most.powf(self.part()) as u64
    }
}

const TRADES: &[&str] = &[
    "Construction",
    "Consulting",
    "Plumbing",
    "Dental",
    "Logistics",
    "Trucking",
    "Realty",
    "Properties",
    "Insurance",
    "Roofing",
    "Landscaping",
    "Auto Repair",
    "Medical Center",
    "Family Dentistry",
    "Electric",
    "Heating & Air",
    "Software",
    "Technologies",
    "Capital",
    "Ventures",
    "Foods",
    "Restaurant",
    "Pizza",
    "Bakery",
    "Coffee",
    "Brewing",
    "Farms",
    "Ranch",
    "Cleaning Services",
    "Home Care",
    "Home Health",
    "Child Care",
    "Physical Therapy",
    "Pharmacy",
    "Veterinary Clinic",
    "Animal Hospital",
    "Fitness",
    "Yoga",
    "Salon",
    "Nails",
    "Barber Shop",
    "Photography",
    "Media",
    "Marketing",
    "Design",
    "Architects",
    "Engineering",
    "Manufacturing",
    "Machine Works",
    "Steel",
    "Welding",
    "Lumber",
    "Hardware",
    "Supply",
    "Wholesale",
    "Distributors",
    "Imports",
    "Jewelers",
    "Furniture",
    "Flooring",
    "Painting",
    "Concrete",
    "Paving",
    "Excavating",
    "Drilling",
    "Energy",
    "Solar",
    "Oil & Gas",
    "Mining",
    "Transport",
    "Airlines",
    "Travel",
    "Hotels",
    "Hospitality",
    "Catering",
    "Events",
    "Entertainment",
    "Records",
    "Publishing",
    "Printing",
    "Staffing",
    "Security",
    "Accounting",
    "Tax Service",
    "Financial",
    "Wealth Management",
    "Mortgage",
    "Title",
    "Community Church",
    "Academy",
    "Montessori School",
    "Tutoring",
    "Learning Center",
    "Biotech",
    "Pharmaceuticals",
    "Diagnostics",
    "Orthopedics",
    "Pediatrics",
    "Cardiology",
    "Radiology",
    "Behavioral Health",
    "International",
];

const FORMS: &[&str] = &[
    "",
    "",
    "",
    "LLC",
    "LLC",
    "LLC",
    "LLC",
    "Inc",
    "Inc",
    "Inc",
    "Corp",
    "Co",
    "Group",
    "Holdings",
    "Partners",
    "LP",
    "Company",
    "Services",
    "Associates",
    "PC",
    "Enterprises",
    "Solutions",
];

const GIVEN: &[&str] = &[
    "James",
    "Mary",
    "Robert",
    "Patricia",
    "John",
    "Jennifer",
    "Michael",
    "Linda",
    "David",
    "Elizabeth",
    "William",
    "Barbara",
    "Richard",
    "Susan",
    "Joseph",
    "Jessica",
    "Thomas",
    "Sarah",
    "Carlos",
    "Maria",
    "Wei",
    "Fatima",
    "Daniel",
    "Nancy",
    "Matthew",
    "Lisa",
    "Anthony",
    "Betty",
    "Mark",
    "Sandra",
    "Steven",
    "Ashley",
];

const OPENINGS: &[&str] = &[
    "b", "br", "c", "ch", "cl", "d", "f", "g", "gr", "h", "j", "k", "l", "m", "n", "p", "r", "s", "sh", "st",
    "t", "th", "tr", "v", "w", "", "z", "sw", "pr", "qu",
];
const VOWELS: &[&str] = &["a", "e", "i", "o", "u", "a", "e", "o", "ai", "ea", "oo", "y"];
const CLOSINGS: &[&str] = &["", "", "", "n", "r", "l", "s", "t", "nd", "ck", "m", "x", "rt", "ng"];
const SURNAME_ENDS: &[&str] = &["son", "er", "ez", "man", "s", "ski", "ley", "", "", ""];
const TOWN_ENDS: &[&str] = &["ville", "ton", "field", "burg", " City", "wood", " Springs", "port", "", ""];
const BRAND_ENDS: &[&str] = &["", "", "", "tech", "ix", "io", "ex", "labs", "a", "o"];

/// The word of a kind that has this rank.
fn word(kind: u64, rank: u64, ends: &[&str]) -> String {
    let mut dice = Dice::new(kind << 32 | rank);
    let mut word = String::new();
    for _ in 0..1 + dice.below(3) {
        for part in [OPENINGS, VOWELS, CLOSINGS] {
            word.push_str(dice.pick(part));
        }
    }
    word.push_str(dice.pick(ends));
    word[..1].make_ascii_uppercase();
    word
}

fn surname(dice: &mut Dice) -> String {
    word(1, dice.rank(60_000.0), SURNAME_ENDS)
}

fn town(dice: &mut Dice) -> String {
    word(2, dice.rank(12_000.0), TOWN_ENDS)
}

fn brand(dice: &mut Dice) -> String {
    word(3, dice.rank(400_000.0), BRAND_ENDS)
}

fn name(dice: &mut Dice) -> String {
    let trade = dice.pick(TRADES);
    let form = dice.pick(FORMS);
    let name = match dice.below(20) {
        0..=4 => format!("{} {trade} {form}", surname(dice)),
        5 => format!("{} & {} {form}", surname(dice), surname(dice)),
        6 => format!("{} & Sons {trade} {form}", surname(dice)),
        7..=12 => format!("{} {trade} {form}", brand(dice)),
        13 => format!("{} {form}", brand(dice)),
        14..=15 => format!("{} {trade} {form}", town(dice)),
        16 => format!(
            "{} of {}",
            dice.pick(&["City", "University", "Bank", "County", "Friends", "Town"]),
            town(dice)
        ),
        17 => format!("{} {} {trade}", dice.pick(GIVEN), surname(dice)),
        18 => format!("Law Offices of {} {}", dice.pick(GIVEN), surname(dice)),
        _ => format!("The {} {trade} {form}", brand(dice)),
    };
    name.trim_end().to_owned()
}

/// So many employers. Each has a name and a popularity; most are little known.
pub(crate) fn employers(count: usize) -> impl Iterator<Item = CompanyRecord> {
    let mut dice = Dice::new(1);
    (0..count).map(move |number| CompanyRecord {
        id: number.to_string(),
        name: name(&mut dice),
        domain: None,
        synonyms: Vec::new(),
        popularity: 1 + (99.0 * dice.part().powi(8)) as u32,
    })
}

/// Beginnings of names, as long as somebody might have typed so far; every fourth begins at a later word.
pub(crate) fn beginnings(names: &[String], count: usize) -> Vec<String> {
    let mut dice = Dice::new(2);
    let beginning = |number: usize| {
        let name = &names[dice.below(names.len())];
        let words: Vec<_> =
            name.match_indices(' ').map(|(space, _)| space + 1).filter(|at| name[*at..] > *"A").collect();
        let start = if number % 4 == 3 && !words.is_empty() { words[dice.below(words.len())] } else { 0 };
        name[start..][..1 + dice.below(name.len() - start)].to_owned()
    };
    (0..count).map(beginning).collect()
}

/// Names with one slip in a word of four letters or more: a letter missing, added, wrong, or two swapped. The words after
/// it are typed or not.
pub(crate) fn slips(names: &[String], count: usize) -> Vec<String> {
    let mut dice = Dice::new(3);
    let mut slips = Vec::with_capacity(count);
    while slips.len() < count {
        let mut words: Vec<_> = names[dice.below(names.len())].split(' ').map(str::to_lowercase).collect();
        words.truncate(1 + dice.below(words.len()));
        let slipped = dice.below(words.len());
        let mut word = std::mem::take(&mut words[slipped]).into_bytes();
        if word.len() < 4 {
            continue;
        }
        let at = dice.below(word.len() - 1);
        let letter = b'a' + u8::try_from(dice.below(26)).expect("a letter");
        match dice.below(4) {
            0 => drop(word.remove(at)),
            1 => word.insert(at, letter),
            2 => word[at] = letter,
            _ => word.swap(at, at + 1),
        }
        words[slipped] = String::from_utf8(word).expect("plain letters");
        slips.push(words.join(" "));
    }
    slips
}

/// Words that nobody's name is like.
pub(crate) fn misses(count: usize) -> Vec<String> {
    let mut dice = Dice::new(4);
    let mut word = |_| (0..6 + dice.below(8)).map(|_| dice.pick(&["q", "x", "z", "j", "v", "k"])).collect();
    (0..count).map(&mut word).collect()
}

/// One letter each.
pub(crate) fn letters() -> Vec<String> {
    ('a'..='z').map(String::from).collect()
}
