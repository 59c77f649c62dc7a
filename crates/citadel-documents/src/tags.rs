//! From the document's parts to the tags and the table of contents of a PDF.

use std::{collections::HashMap, num::NonZeroU16};

use krilla::{
    destination::XyzDestination,
    geom::Point,
    outline::{Outline, OutlineNode},
    tagging::{self, Identifier, ListNumbering, TableHeaderScope, Tag, TagGroup, TagKind, TagTree},
};

use crate::structure::{Entry, Node, Role};

/// `texts` tells where in the file each text of the structure is.
pub(crate) fn tree(parts: Vec<Node>, texts: &[(usize, Identifier)], language: &str) -> TagTree {
    let texts: HashMap<usize, Identifier> = texts.iter().copied().collect();
    let children: Vec<tagging::Node> = parts.into_iter().map(|part| node(part, &texts)).collect();
    TagTree::from(children).with_lang(Some(language.to_owned()))
}

fn node(part: Node, texts: &HashMap<usize, Identifier>) -> tagging::Node {
    match part {
        Node::Text(number) => {
            (*texts.get(&number).expect("every text of the structure is drawn, on some page")).into()
        }
        Node::Group(role, parts) => {
            let children = parts.into_iter().map(|part| node(part, texts)).collect();
            TagGroup::with_children(tag(role), children).into()
        }
    }
}

fn tag(role: Role) -> TagKind {
    match role {
        Role::Heading(level, title) => {
            Tag::Hn(NonZeroU16::new(level).unwrap_or(NonZeroU16::MIN), Some(title)).into()
        }
        Role::Paragraph => Tag::P.into(),
        Role::List => Tag::L(ListNumbering::None).into(),
        Role::Item => Tag::LI.into(),
        Role::Label => Tag::Lbl.into(),
        Role::Body => Tag::LBody.into(),
        Role::Table(about) => Tag::Table.with_summary(Some(about)).into(),
        Role::Head => Tag::THead.into(),
        Role::Rows => Tag::TBody.into(),
        Role::Row => Tag::TR.into(),
        Role::ColumnName => Tag::TH(TableHeaderScope::Column).into(),
        Role::RowName => Tag::TH(TableHeaderScope::Row).into(),
        Role::Cell => Tag::TD.into(),
    }
}

/// The table of contents: every heading, under the nearest one before it that stands above it.
pub(crate) fn outline(entries: &[Entry]) -> Outline {
    let mut outline = Outline::new();
    for node in level(&mut entries.iter().peekable(), 0) {
        outline.push_child(node);
    }
    outline
}

fn level<'a>(
    entries: &mut std::iter::Peekable<impl Iterator<Item = &'a Entry>>,
    above: u16,
) -> Vec<OutlineNode> {
    let mut nodes = Vec::new();
    while let Some(entry) = entries.next_if(|entry| entry.level > above) {
        let place = XyzDestination::new(entry.page, Point::from_xy(0.0, entry.y.max(0.0)));
        let mut node = OutlineNode::new(entry.title.clone(), place).with_open(entry.level == 1);
        for child in level(entries, entry.level) {
            node.push_child(child);
        }
        nodes.push(node);
    }
    nodes
}
