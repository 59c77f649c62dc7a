//! Reads a PDF back: its objects, and what is drawn on its pages, without the library that wrote it. It knows as much of the
//! format as that library writes, and panics at anything else.

use std::{collections::BTreeMap, io::Read};

type Characters<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// A PDF, taken apart.
pub(crate) struct File {
    objects: BTreeMap<u32, Object>,
    pub(crate) pages: Vec<Page>,
}

struct Object {
    /// What stands before the stream, byte by character.
    head: String,
    stream: Vec<u8>,
}

/// A page, as a list of what is drawn on it.
pub(crate) struct Page {
    pub(crate) marks: Vec<Mark>,
}

/// A text on a page.
#[derive(Debug)]
pub(crate) struct Mark {
    /// By the glyphs.
    pub(crate) shown: String,
    /// The text that stands for the glyphs, if there is one.
    pub(crate) meant: Option<String>,
    /// Whether it is no part of the document, but of the paper.
    pub(crate) is_artifact: bool,
}

impl File {
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let objects = objects(bytes);
        let pages = kids(&objects).into_iter().map(|number| page(&objects, number)).collect();
        Self { objects, pages }
    }

    /// Everything that is drawn as a part of the document, page by page, a line for each text.
    pub(crate) fn text(&self) -> String {
        let marks = self.pages.iter().flat_map(|page| &page.marks).filter(|mark| !mark.is_artifact);
        marks.map(|mark| mark.shown.trim().to_owned() + "\n").collect()
    }

    /// Every text that is in the file in any way: drawn, meant, or in a dictionary such as that of a heading or of the metadata.
    pub(crate) fn everything(&self) -> String {
        let marks = self.pages.iter().flat_map(|page| &page.marks);
        let drawn =
            marks.map(|mark| format!("{}\n{}\n", mark.shown, mark.meant.as_deref().unwrap_or_default()));
        let objects = self.objects.values();
        let inside = objects.map(|object| strings(&object.head).join("\n") + "\n" + &object.head + "\n");
        drawn.chain(inside).chain([self.metadata()]).collect()
    }

    /// The XMP packet.
    pub(crate) fn metadata(&self) -> String {
        let found = self.objects.values().find(|object| object.head.contains("/Subtype/XML"));
        String::from_utf8(found.expect("metadata").stream.clone()).expect("XMP is UTF-8")
    }

    /// The dictionary of the document.
    pub(crate) fn catalog(&self) -> &str {
        &self.objects.values().find(|object| object.head.contains("/Type/Catalog")).expect("a catalog").head
    }

    /// How many elements of a kind the structure has.
    pub(crate) fn count(&self, element: &str) -> usize {
        let start = format!("/Type/StructElem/S/{element}/");
        self.objects.values().filter(|object| object.head.contains(&start)).count()
    }

    /// The strings of every object that holds a key.
    pub(crate) fn with(&self, key: &str) -> Vec<String> {
        let found = self.objects.values().filter(|object| object.head.contains(key));
        found.flat_map(|object| strings(&object.head)).collect()
    }
}

fn objects(bytes: &[u8]) -> BTreeMap<u32, Object> {
    let mut objects = BTreeMap::new();
    let mut at = 0;
    while let Some(found) = find(&bytes[at..], b" 0 obj\n") {
        let line =
            bytes[..at + found].iter().rposition(|byte| *byte == b'\n').expect("a header before it") + 1;
        let number = latin(&bytes[line..at + found]).parse().expect("an object's number");
        at += found + 7;
        let end = at + find(&bytes[at..], b"\nendobj").expect("the object's end");
        let stream = find(&bytes[at..end], b"\nstream\n").map(|stream| at + stream);
        let head = latin(&bytes[at..stream.unwrap_or(end)]);
        let body = stream.map_or_else(Vec::new, |start| {
            let length = number_after(&head, "/Length ") as usize;
            let body = &bytes[start + 8..start + 8 + length];
            at = start + 8 + length;
            if head.contains("/FlateDecode") { inflate(body) } else { body.to_vec() }
        });
        if stream.is_none() {
            at = end;
        }
        objects.insert(number, Object { head, stream: body });
    }
    objects
}

fn inflate(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    flate2::read::ZlibDecoder::new(body).read_to_end(&mut out).expect("a deflated stream");
    out
}

/// The pages in their order, through the tree of pages.
fn kids(objects: &BTreeMap<u32, Object>) -> Vec<u32> {
    fn below(objects: &BTreeMap<u32, Object>, number: u32, pages: &mut Vec<u32>) {
        let head = &objects[&number].head;
        let Some((_, kids)) = head.split_once("/Kids[") else { return pages.push(number) };
        let kids = kids.split_once(']').expect("the end of the list").0;
        for kid in kids.split(" 0 R").map(str::trim).filter(|kid| !kid.is_empty()) {
            below(objects, kid.parse().expect("a page's number"), pages);
        }
    }
    let mut pages = Vec::new();
    let catalog = objects.values().find(|object| object.head.contains("/Type/Catalog")).expect("a catalog");
    below(objects, number_after(&catalog.head, "/Pages "), &mut pages);
    pages
}

fn page(objects: &BTreeMap<u32, Object>, number: u32) -> Page {
    let page = &objects[&number].head;
    let resources = &objects[&number_after(page, "/Resources ")].head;
    let (mut fonts, mut font) = (BTreeMap::new(), String::new());
    let mut marks: Vec<Mark> = Vec::new();
    let mut depth = 0;
    for Operation { operator, names, strings } in
        operations(&latin(&objects[&number_after(page, "/Contents ")].stream))
    {
        match operator.as_str() {
            "BDC" | "BMC" => {
                depth += 1;
                let meant = names.contains(&"ActualText".to_owned()).then(|| decoded(&strings[0]));
                if depth == 1 {
                    marks.push(Mark { shown: String::new(), meant, is_artifact: names[0] == "Artifact" });
                } else {
                    // Glyphs that are letters only together: the library says what they are.
                    let letters = meant.expect("a part in a part says what it means");
                    marks.last_mut().expect("a part around it").shown.push_str(&letters);
                }
            }
            "EMC" => depth -= 1,
            "Tf" => {
                let read = || {
                    let font = &objects[&number_after(resources, &format!("/{} ", names[0]))].head;
                    unicode(&latin(&objects[&number_after(font, "/ToUnicode ")].stream))
                };
                fonts.entry(names[0].clone()).or_insert_with(read);
                font.clone_from(&names[0]);
            }
            "TJ" | "Tj" => {
                assert!(depth > 0, "a text that is neither part nor artifact");
                let units = strings.iter().flat_map(|string| string.chunks(2)).filter(|_| depth == 1);
                for unit in units {
                    let letters = &fonts[&font][&u16::from_be_bytes([unit[0], unit[1]])];
                    marks.last_mut().expect("a part around the text").shown.push_str(letters);
                }
            }
            _ => {}
        }
    }
    marks.retain(|mark| !mark.shown.is_empty());
    Page { marks }
}

/// An operation, with what it is given but for numbers.
#[derive(Default)]
struct Operation {
    operator: String,
    names: Vec<String>,
    strings: Vec<Vec<u8>>,
}

fn operations(content: &str) -> Vec<Operation> {
    let mut found = Vec::new();
    let mut present = Operation::default();
    let mut characters = content.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '(' => present.strings.push(literal(&mut characters)),
            '<' if characters.peek().is_some_and(char::is_ascii_hexdigit) => {
                present.strings.push(hexadecimal(&mut characters));
            }
            '/' => present.names.push(word(&mut characters)),
            letter if letter.is_ascii_alphabetic() => {
                present.operator = format!("{letter}{}", word(&mut characters));
                found.push(std::mem::take(&mut present));
            }
            _ => {}
        }
    }
    found
}

fn word(characters: &mut Characters<'_>) -> String {
    let is_inside = |next: &char| next.is_ascii_alphanumeric() || "*.-".contains(*next);
    std::iter::from_fn(|| characters.next_if(is_inside)).collect()
}

/// From glyphs to letters.
fn unicode(map: &str) -> BTreeMap<u16, String> {
    let mut glyphs = BTreeMap::new();
    for line in map.lines() {
        let Some((glyph, text)) = line.strip_prefix('<').and_then(|line| line.split_once("> <")) else {
            continue;
        };
        let Some(text) = text.strip_suffix('>').filter(|_| !line.contains("FFFF>")) else { continue };
        let units: Vec<u16> = text.as_bytes().chunks(4).map(|unit| hex(&latin(unit))).collect();
        glyphs.insert(hex(glyph), String::from_utf16(&units).expect("UTF-16"));
    }
    glyphs
}

/// The strings of a dictionary, decoded.
fn strings(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '(' => found.push(decoded(&literal(&mut characters))),
            '<' if characters.peek().is_some_and(char::is_ascii_hexdigit) => {
                found.push(decoded(&hexadecimal(&mut characters)));
            }
            _ => {}
        }
    }
    found
}

fn decoded(string: &[u8]) -> String {
    let Some(wide) = string.strip_prefix(&[0xFE, 0xFF]) else { return latin(string) };
    let units: Vec<u16> = wide.chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
    String::from_utf16(&units).expect("UTF-16")
}

fn hexadecimal(characters: &mut Characters<'_>) -> Vec<u8> {
    let digits: String = characters.by_ref().take_while(|digit| *digit != '>').collect();
    digits.as_bytes().chunks(2).map(|pair| hex(&latin(pair)) as u8).collect()
}

fn literal(characters: &mut Characters<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut depth = 1;
    while let Some(character) = characters.next() {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
        if character != '\\' {
            bytes.push(character as u8);
            continue;
        }
        let escaped = characters.next().expect("something after a backslash");
        bytes.push(match escaped {
            'n' => b'\n',
            'r' => b'\r',
            't' => b'\t',
            'b' => 8,
            'f' => 12,
            '0'..='7' => {
                let mut value = escaped.to_digit(8).expect("a digit");
                for _ in 0..2 {
                    let Some(digit) = characters.peek().and_then(|next| next.to_digit(8)) else { break };
                    value = value * 8 + digit;
                    characters.next();
                }
                value as u8
            }
            other => other as u8,
        });
    }
    bytes
}

fn number_after(text: &str, key: &str) -> u32 {
    let rest = text.split_once(key).unwrap_or_else(|| panic!("{key} in {text}")).1;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().expect("a number")
}

fn hex(digits: &str) -> u16 {
    u16::from_str_radix(digits, 16).expect("hexadecimal digits")
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|part| part == what)
}

fn latin(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}
