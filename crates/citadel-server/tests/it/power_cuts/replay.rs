//! A disk that forgets: plays a diary, and says what a power cut leaves.

use std::collections::BTreeMap;

use crate::disk::Record;

/// What is torn is torn here.
const SECTOR: usize = 512;

#[derive(Clone)]
enum Change {
    Write(usize, Vec<u8>),
    Cut(usize),
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write(at, data) => {
                let end = at + data.len();
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                bytes[*at..end].copy_from_slice(data);
            }
            Self::Cut(length) => bytes.resize(*length, 0),
        }
    }
}

/// A file, whatever its name: what is surely on disk, and what is on its way.
#[derive(Default)]
struct File {
    kept: Vec<u8>,
    /// With their numbers in the diary.
    coming: Vec<(usize, Change)>,
}

pub(super) struct Replay {
    directory: String,
    files: Vec<File>,
    /// Which file a name means now.
    names: BTreeMap<String, usize>,
    /// The same after a cut that takes everything.
    kept_names: BTreeMap<String, usize>,
    /// Names made and removed since the directory was synced.
    coming_names: Vec<(usize, String, Option<usize>)>,
    /// Syncs under way: by thread and path, the number of the record at which they began.
    syncs: BTreeMap<(u64, String), usize>,
    number: usize,
}

impl Replay {
    /// An empty directory.
    pub(super) fn new(directory: &str) -> Self {
        Self {
            directory: directory.to_owned(),
            files: Vec::new(),
            names: BTreeMap::new(),
            kept_names: BTreeMap::new(),
            coming_names: Vec::new(),
            syncs: BTreeMap::new(),
            number: 0,
        }
    }

    /// Exactly these files from here on, all of them on disk.
    pub(super) fn becomes(&mut self, files: &[(String, Vec<u8>)]) {
        *self = Self { number: self.number, ..Self::new(&self.directory) };
        for (name, bytes) in files {
            let path = format!("{}/{name}", self.directory);
            self.names.insert(path, self.files.len());
            self.files.push(File { kept: bytes.clone(), coming: Vec::new() });
        }
        self.kept_names = self.names.clone();
    }

    pub(super) fn play(&mut self, record: &Record) {
        self.number += 1;
        let (number, path) = (self.number, &record.path);
        let offset = usize::try_from(record.offset).unwrap();
        match record.kind {
            b'c' => {
                self.names.insert(path.clone(), self.files.len());
                self.coming_names.push((number, path.clone(), Some(self.files.len())));
                self.files.push(File::default());
            }
            b'u' => {
                self.names.remove(path);
                self.coming_names.push((number, path.clone(), None));
            }
            b'w' => self.change(path, Change::Write(offset, record.data.clone())),
            b't' => self.change(path, Change::Cut(offset)),
            b'b' => drop(self.syncs.insert((record.offset, path.clone()), number)),
            b's' => {
                let begun = self.syncs.remove(&(record.offset, path.clone())).unwrap_or(0);
                self.keep(path, begun);
            }
            _ => {}
        }
    }

    fn change(&mut self, path: &str, change: Change) {
        // The shared memory beside the log is rebuilt after a cut; nobody syncs it.
        if path.ends_with("-shm") {
            return;
        }
        // A file without a name is gone for good.
        if let Some(file) = self.names.get(path) {
            self.files[*file].coming.push((self.number, change));
        }
    }

    /// A sync of this path that began then has ended well.
    fn keep(&mut self, path: &str, begun: usize) {
        if *path == self.directory {
            for (_, name, file) in self.coming_names.extract_if(.., |(number, ..)| *number < begun) {
                match file {
                    Some(file) => self.kept_names.insert(name, file),
                    None => self.kept_names.remove(&name),
                };
            }
        } else if let Some(file) = self.names.get(path) {
            let file = &mut self.files[*file];
            for (_, change) in file.coming.extract_if(.., |(number, _)| *number < begun) {
                change.apply(&mut file.kept);
            }
        }
    }

    /// What a cut now may leave, and how many changes it takes away in whole or in part.
    pub(super) fn cut(&self, chance: &impl Fn(usize) -> usize) -> (Vec<(String, Vec<u8>)>, usize) {
        let (mut forgotten, mut names) = (0, self.kept_names.clone());
        for (_, name, file) in &self.coming_names {
            match (chance(2), file) {
                (0, _) => forgotten += 1,
                (_, Some(file)) => drop(names.insert(name.clone(), *file)),
                (_, None) => drop(names.remove(name)),
            }
        }
        let mut files = Vec::new();
        for (path, file) in names {
            let file = &self.files[file];
            let mut bytes = file.kept.clone();
            for (_, change) in &file.coming {
                match (chance(3), change) {
                    (0, _) => forgotten += 1,
                    (1, _) => change.apply(&mut bytes),
                    (_, Change::Cut(_)) => change.apply(&mut bytes),
                    (_, Change::Write(at, data)) => {
                        forgotten += 1;
                        for (part, sector) in data.chunks(SECTOR).enumerate() {
                            if chance(2) == 0 {
                                Change::Write(at + part * SECTOR, sector.to_vec()).apply(&mut bytes);
                            }
                        }
                    }
                }
            }
            let name = path.rsplit('/').next().unwrap().to_owned();
            if !name.ends_with("-shm") {
                files.push((name, bytes));
            }
        }
        (files, forgotten)
    }
}

#[test]
fn only_what_was_synced_is_sure_to_stay() {
    let record = |kind, path: &str, offset, data: &[u8]| Record {
        kind,
        path: path.to_owned(),
        offset,
        data: data.to_vec(),
    };
    let write = |text: &[u8]| record(b'w', "/d/f", 0, text);
    let (begin, end) = (|path| record(b'b', path, 7, b""), |path| record(b's', path, 7, b""));
    let after = |records: &[Record], luck: usize| {
        let mut replay = Replay::new("/d");
        records.iter().for_each(|record| replay.play(record));
        replay.cut(&|_| luck).0
    };
    let made = record(b'c', "/d/f", 0, b"");
    let synced = [made.clone(), write(b"old"), begin("/d/f"), end("/d/f")];
    assert_eq!(after(&synced, 0), [], "the name was not synced");
    let named = [&synced[..], &[begin("/d"), end("/d")]].concat();
    assert_eq!(after(&named, 0), [("f".to_owned(), b"old".to_vec())]);
    let written = [&named[..], &[write(b"new")]].concat();
    assert_eq!(after(&written, 0), [("f".to_owned(), b"old".to_vec())]);
    assert_eq!(after(&written, 1), [("f".to_owned(), b"new".to_vec())]);
    // What is written while a sync runs is not in it.
    let during = [&named[..], &[begin("/d/f"), write(b"new"), end("/d/f")]].concat();
    assert_eq!(after(&during, 0), [("f".to_owned(), b"old".to_vec())]);
    let whole = [&named[..], &[write(b"new"), begin("/d/f"), end("/d/f")]].concat();
    assert_eq!(after(&whole, 0), [("f".to_owned(), b"new".to_vec())]);
}
