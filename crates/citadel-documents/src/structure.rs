//! What the parts of a document are to each other, for readers who do not see the paper.

/// What a part is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// A heading, 1 for the document's own.
    Heading(u16, String),
    Paragraph,
    /// A list of [`Role::Item`]s.
    List,
    /// A [`Role::Label`] and a [`Role::Body`].
    Item,
    Label,
    Body,
    /// A table, and what it is about.
    Table(String),
    /// The rows of column names.
    Head,
    /// The other rows.
    Rows,
    Row,
    /// The name of a column.
    ColumnName,
    /// The name of a row.
    RowName,
    Cell,
}

/// A part of the document, in reading order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    /// A part that has parts.
    Group(Role, Vec<Node>),
    /// The text of this number on the sheet.
    Text(usize),
}

/// A place in the table of contents that viewers show beside the pages.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) level: u16,
    pub(crate) title: String,
    pub(crate) page: usize,
    pub(crate) y: f32,
}
