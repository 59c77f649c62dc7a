//! Tables that know their rows and columns, and name the columns anew on every page.

use crate::{
    sheet::{BODY, LABEL, LEFT, RIGHT, STRONG, Sheet, Style},
    structure::Role,
};

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    /// Where texts begin, or figures end.
    edge: f32,
    room: f32,
    is_figure: bool,
}

impl Column {
    /// Texts that begin at `x`.
    pub(crate) const fn text(name: &'static str, x: f32, room: f32) -> Self {
        Self { name, edge: x, room, is_figure: false }
    }

    /// Figures that end at `x`.
    pub(crate) const fn figure(name: &'static str, x: f32, room: f32) -> Self {
        Self { name, edge: x, room, is_figure: true }
    }

    fn put(&self, sheet: &mut Sheet, style: Style, text: &str) {
        let y = sheet.y;
        if self.is_figure {
            sheet.text_to(self.edge, y, self.room, style, text);
        } else {
            sheet.text(self.edge, y, self.room, style, text);
        }
    }
}

/// A row: its name and its cells, one for each column.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    cells: Vec<String>,
    is_total: bool,
}

impl Row {
    pub(crate) const fn new(cells: Vec<String>) -> Self {
        Self { cells, is_total: false }
    }

    /// The row in which the others end.
    pub(crate) const fn total(cells: Vec<String>) -> Self {
        Self { cells, is_total: true }
    }
}

/// A table.
pub(crate) struct Table<'a> {
    /// What it is about. Said to those who cannot see it, and at the head of a further page where the first column has no
    /// name.
    pub(crate) about: &'a str,
    pub(crate) columns: &'a [Column],
    pub(crate) rows: Vec<Row>,
    /// How high a row is.
    pub(crate) pitch: f32,
}

/// From the names of the columns to the first row.
const HEAD: f32 = 6.0;

impl Table<'_> {
    /// How much has to fit below a heading so that it does not stand alone.
    pub(crate) fn least(&self) -> f32 {
        HEAD + self.pitch * self.rows.len().min(3) as f32 + self.pitch
    }
}

impl Sheet {
    pub(crate) fn table(&mut self, table: &Table<'_>) {
        self.need(table.least());
        self.within(Role::Table(table.about.to_owned()), |sheet| {
            sheet.within(Role::Head, |sheet| sheet.within(Role::Row, |sheet| head(sheet, table)));
            sheet.within(Role::Rows, |sheet| {
                for (index, row) in table.rows.iter().enumerate() {
                    // A last row, often the total, takes the one before it along to a new page.
                    let together = if index + 2 == table.rows.len() { 2.0 } else { 1.0 };
                    if sheet.need(together * table.pitch) {
                        sheet.repeat(|sheet| again(sheet, table));
                    }
                    sheet.within(Role::Row, |sheet| cells(sheet, table, row));
                }
            });
        });
    }
}

fn head(sheet: &mut Sheet, table: &Table<'_>) {
    for column in table.columns {
        // A corner without a name is no header of anything.
        let role = if column.name.is_empty() { Role::Cell } else { Role::ColumnName };
        sheet.within(role, |sheet| column.put(sheet, LABEL, column.name));
    }
    let y = sheet.y;
    sheet.line(LEFT, y + HEAD, RIGHT - LEFT);
    sheet.y += HEAD + table.pitch;
}

/// The names of the columns at the head of a further page.
fn again(sheet: &mut Sheet, table: &Table<'_>) {
    if let Some(corner) = table.columns.first().filter(|column| column.name.is_empty()) {
        corner.put(sheet, LABEL, &format!("{}, continued", table.about));
    }
    for column in table.columns {
        column.put(sheet, LABEL, column.name);
    }
    let y = sheet.y;
    sheet.line(LEFT, y + HEAD, RIGHT - LEFT);
    sheet.y += HEAD + table.pitch;
}

fn cells(sheet: &mut Sheet, table: &Table<'_>, row: &Row) {
    let style = if row.is_total { STRONG } else { BODY };
    if row.is_total {
        let y = sheet.y;
        sheet.line(LEFT, y - 0.7 * table.pitch, RIGHT - LEFT);
        sheet.y += 1.0;
    }
    for (index, (column, cell)) in table.columns.iter().zip(&row.cells).enumerate() {
        let role = if index == 0 { Role::RowName } else { Role::Cell };
        sheet.within(role, |sheet| column.put(sheet, style, cell));
    }
    sheet.y += table.pitch;
}
