//! The seats of the invented company: what is done where, on what terms, and since when.
//!
//! As with the word lists: to change one is to rename people whom somebody may have saved in a test.

use super::{
    plan::Kind,
    words::{Trade, trade},
};

/// A department with its seats.
#[derive(Clone, Copy, Debug)]
pub(super) struct Department {
    pub(super) name: &'static str,
    /// Manages the others and reports to the chief.
    pub(super) head: Trade,
    pub(super) seats: &'static [Seats],
}

/// Seats of one kind.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seats {
    pub(super) trade: Trade,
    pub(super) kind: Kind,
    /// How many the company began with.
    pub(super) at_first: u16,
    /// How many were added since, over the years.
    pub(super) later: u16,
}

const fn seats(trade: Trade, kind: Kind, at_first: u16, later: u16) -> Seats {
    Seats { trade, kind, at_first, later }
}

/// The head of the company.
pub(super) const CHIEF: Trade = trade("Chief executive officer", 228_000, 264_000);
/// Where the head of the company sits, alone.
pub(super) const CHIEFS_DEPARTMENT: &str = "Management";

use Kind::{FullTime, PartTime, Salaried};

pub(super) const DEPARTMENTS: [Department; 7] = [
    Department {
        name: "Warehouse",
        head: trade("Warehouse manager", 82_000, 104_000),
        seats: &[
            seats(trade("Shift lead", 2_350, 2_900), FullTime, 2, 1),
            seats(trade("Forklift operator", 1_800, 2_500), FullTime, 4, 2),
            seats(trade("Warehouse associate", 1_700, 2_350), FullTime, 8, 3),
            seats(trade("Order picker", 1_600, 2_050), PartTime, 4, 2),
        ],
    },
    Department {
        name: "Fleet",
        head: trade("Fleet manager", 84_000, 108_000),
        seats: &[
            seats(trade("Delivery driver", 1_900, 2_650), FullTime, 9, 3),
            seats(trade("Dispatcher", 2_050, 2_700), FullTime, 2, 1),
            seats(trade("Diesel mechanic", 2_600, 3_600), FullTime, 2, 0),
        ],
    },
    Department {
        name: "Customer service",
        head: trade("Customer service manager", 68_000, 88_000),
        seats: &[
            seats(trade("Customer service agent", 1_750, 2_300), FullTime, 3, 2),
            seats(trade("Evening service agent", 1_750, 2_200), PartTime, 2, 0),
        ],
    },
    Department {
        name: "Sales",
        head: trade("Sales director", 112_000, 148_000),
        seats: &[
            seats(
                Trade { title: "Account executive", low: 54_000, high: 82_000, has_commission: true },
                Salaried,
                3,
                2,
            ),
            seats(trade("Marketing specialist", 52_000, 72_000), Salaried, 1, 1),
        ],
    },
    Department {
        name: "Finance",
        head: trade("Finance director", 124_000, 158_000),
        seats: &[
            seats(trade("Accountant", 58_000, 86_000), Salaried, 2, 1),
            seats(trade("Payroll specialist", 2_300, 2_950), FullTime, 1, 0),
        ],
    },
    Department {
        name: "People",
        head: trade("Human resources director", 108_000, 138_000),
        seats: &[
            seats(trade("Recruiter", 56_000, 76_000), Salaried, 1, 0),
            seats(trade("Office coordinator", 1_900, 2_350), PartTime, 1, 0),
        ],
    },
    Department {
        name: "Technology",
        head: trade("Engineering manager", 148_000, 182_000),
        seats: &[
            seats(trade("Software engineer", 98_000, 152_000), Salaried, 3, 3),
            seats(trade("Support technician", 2_100, 2_900), FullTime, 1, 1),
        ],
    },
];
