//! The words that invented people are made of. Names are common ones joined by chance; streets and employers are
//! made up; cities and their postal codes are real, so that addresses look right.
//!
//! To change a list is to rename people whom somebody may have saved in a test. Extend the product in new lists.

pub(super) const FIRST_NAMES: [&str; 40] = [
    "Aaron",
    "Alice",
    "Amara",
    "Andre",
    "Beatrice",
    "Benjamin",
    "Camila",
    "Carlos",
    "Charlotte",
    "Daniel",
    "Diana",
    "Elena",
    "Ethan",
    "Fatima",
    "Felix",
    "Grace",
    "Hannah",
    "Henry",
    "Imani",
    "Isaac",
    "Jasmine",
    "Jonah",
    "Julia",
    "Kenji",
    "Laura",
    "Leo",
    "Lucia",
    "Marcus",
    "Maya",
    "Miguel",
    "Naomi",
    "Nathan",
    "Olivia",
    "Owen",
    "Priya",
    "Rosa",
    "Samuel",
    "Sofia",
    "Tariq",
    "Wendy",
];

pub(super) const LAST_NAMES: [&str; 40] = [
    "Abbott",
    "Alvarez",
    "Barlow",
    "Bennett",
    "Brandt",
    "Calloway",
    "Castillo",
    "Chen",
    "Dalton",
    "Delgado",
    "Eastman",
    "Ellis",
    "Fairchild",
    "Farrow",
    "Garner",
    "Grant",
    "Hale",
    "Hensley",
    "Ibarra",
    "Jennings",
    "Kapoor",
    "Keller",
    "Lambert",
    "Lindqvist",
    "Marlow",
    "Medina",
    "Nakamura",
    "Norwood",
    "Okafor",
    "Ortega",
    "Pruitt",
    "Quinn",
    "Reyes",
    "Sandoval",
    "Sutton",
    "Thorne",
    "Underhill",
    "Vasquez",
    "Whitaker",
    "Yates",
];

pub(super) const STREETS: [&str; 20] = [
    "Alder Court",
    "Birchwood Lane",
    "Canal Street",
    "Cedar Hollow Road",
    "Clover Avenue",
    "Dogwood Drive",
    "Elm Terrace",
    "Foxglove Way",
    "Granite Street",
    "Hawthorn Avenue",
    "Juniper Lane",
    "Larkspur Road",
    "Maple Ridge Drive",
    "Mill Pond Road",
    "Orchard Street",
    "Prairie View Lane",
    "Quarry Road",
    "River Bend Drive",
    "Sycamore Avenue",
    "Willow Creek Road",
];

/// A real place: city, state, postal code, area code, and our invented flat income tax in basis points.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) city: &'static str,
    pub(super) state: &'static str,
    pub(super) zip: &'static str,
    pub(super) area_code: &'static str,
    pub(super) tax: i64,
}

const fn place(
    city: &'static str,
    state: &'static str,
    zip: &'static str,
    area_code: &'static str,
    tax: i64,
) -> Place {
    Place { city, state, zip, area_code, tax }
}

pub(super) const SAN_FRANCISCO: Place = place("San Francisco", "CA", "94105", "415", 500);

pub(super) const PLACES: [Place; 16] = [
    SAN_FRANCISCO,
    place("Los Angeles", "CA", "90012", "213", 500),
    place("Denver", "CO", "80202", "303", 440),
    place("Miami", "FL", "33130", "305", 0),
    place("Atlanta", "GA", "30303", "404", 540),
    place("Chicago", "IL", "60602", "312", 495),
    place("Boston", "MA", "02108", "617", 500),
    place("Minneapolis", "MN", "55401", "612", 600),
    place("Charlotte", "NC", "28202", "704", 450),
    place("Newark", "NJ", "07102", "973", 450),
    place("Albany", "NY", "12207", "518", 550),
    place("Columbus", "OH", "43215", "614", 350),
    place("Portland", "OR", "97204", "503", 800),
    place("Philadelphia", "PA", "19107", "215", 310),
    place("Austin", "TX", "78701", "512", 0),
    place("Seattle", "WA", "98101", "206", 0),
];

/// Employers of second and former jobs, and of people who picked none.
pub(super) const EMPLOYERS: [&str; 16] = [
    "Alder & Finch Foods",
    "Bluebarrow Logistics",
    "Cobalt Ridge Clinics",
    "Driftwood Hotels",
    "Eastlake Hardware",
    "Fernhollow Schools",
    "Gullwing Couriers",
    "Harborline Markets",
    "Ironleaf Manufacturing",
    "Juniper Street Cafes",
    "Kestrel Home Care",
    "Lanternfield Books",
    "Millbrook Dental Group",
    "Northgate Fitness",
    "Oak & Anchor Catering",
    "Pinecrest Garden Centers",
];

pub(super) const BANKS: [&str; 6] = [
    "First Harbor Bank",
    "Prairie States Credit Union",
    "Summit Valley Bank",
    "Lakeside Savings Bank",
    "Unity Field Credit Union",
    "Old Quay Bank",
];

/// A kind of work with its range of pay.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trade {
    pub(super) title: &'static str,
    /// Dollars a year, or cents an hour.
    pub(super) low: i64,
    pub(super) high: i64,
    pub(super) has_commission: bool,
}

pub(super) const fn trade(title: &'static str, low: i64, high: i64) -> Trade {
    Trade { title, low, high, has_commission: false }
}

/// Work paid by the year.
pub(super) const SALARIED: [Trade; 14] = [
    trade("Accountant", 56_000, 98_000),
    Trade { title: "Account executive", low: 52_000, high: 90_000, has_commission: true },
    trade("Civil engineer", 72_000, 128_000),
    trade("Data analyst", 62_000, 112_000),
    trade("General counsel", 185_000, 320_000),
    trade("Graphic designer", 48_000, 86_000),
    trade("High school teacher", 46_000, 82_000),
    trade("Human resources manager", 74_000, 126_000),
    trade("Marketing director", 118_000, 192_000),
    trade("Nurse practitioner", 98_000, 136_000),
    trade("Physician", 205_000, 360_000),
    trade("PR associate", 52_000, 78_000),
    trade("Project manager", 78_000, 134_000),
    trade("Software engineer", 96_000, 210_000),
];

/// Work paid by the hour.
pub(super) const HOURLY: [Trade; 12] = [
    trade("Barista", 1_450, 1_900),
    trade("Cashier", 1_400, 1_850),
    trade("Delivery driver", 1_750, 2_600),
    trade("Dental assistant", 1_900, 2_700),
    trade("Electrician", 2_600, 4_400),
    trade("Forklift operator", 1_800, 2_500),
    trade("Home health aide", 1_500, 2_000),
    trade("Line cook", 1_600, 2_200),
    trade("Machinist", 2_200, 3_400),
    trade("Registered nurse", 3_400, 5_800),
    trade("Retail associate", 1_450, 1_950),
    trade("Warehouse associate", 1_700, 2_350),
];
