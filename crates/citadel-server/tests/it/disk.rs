//! A disk in front of the real one, which writes a diary and fails on demand (`disk/disk.c`): loaded into the server, because
//! what happens between a program and its disk cannot be seen from outside.

use std::{
    fs,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    process::Command,
};

use crate::child::ServerChild;

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/disk/disk.c");

/// Kinds of calls that can be made to fail: their places in the file of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Write,
    Sync,
    Read,
    Open,
    Truncate,
    /// Half of each write is taken; of the last byte nothing.
    ShortWrite,
    /// Syncs of the database file alone.
    SyncOfDatabase,
}

pub(crate) const EIO: u8 = 5;
pub(crate) const ENOSPC: u8 = 28;
pub(crate) const EROFS: u8 = 30;

pub(crate) struct Disk {
    home: PathBuf,
}

impl Disk {
    /// Below the data directory of this server, from its next start on.
    pub(crate) fn under(child: &mut ServerChild) -> Self {
        let disk = Self { home: child.home().to_owned() };
        let library = disk.home.join("disk.so");
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .arg(&library)
            .arg(SOURCE)
            .status()
            .expect("a C compiler");
        assert!(built.success(), "{SOURCE} cannot be compiled");
        disk.heal();
        child.set("LD_PRELOAD", library.display().to_string());
        child.set("CITADEL_DISK", disk.home.join("data").display().to_string());
        child.set("CITADEL_DISK_FAULTS", disk.faults().display().to_string());
        disk
    }

    /// Has a diary written, from the server's next start on. Answers where.
    pub(crate) fn keep_diary(&self, child: &mut ServerChild) -> PathBuf {
        let diary = self.home.join("diary");
        child.set("CITADEL_DISK_DIARY", diary.display().to_string());
        diary
    }

    /// From now on such calls fail like this.
    pub(crate) fn fail(&self, call: Call, errno: u8) {
        let faults = fs::OpenOptions::new().write(true).open(self.faults()).unwrap();
        faults.write_at(&[errno], call as u64).unwrap();
    }

    /// Everything works again.
    pub(crate) fn heal(&self) {
        // In place: the server has this very file mapped.
        let faults = fs::OpenOptions::new().create(true).truncate(false).write(true).open(self.faults());
        faults.unwrap().write_at(&[0; 64], 0).unwrap();
    }

    fn faults(&self) -> PathBuf {
        self.home.join("faults")
    }
}

/// What the diary tells, in its order.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    /// `c` file made, `w` written, `t` cut to a length, `u` name removed, `b` sync begun, `s` sync ended, `a` answered.
    pub(crate) kind: u8,
    pub(crate) path: String,
    /// A place in the file; of a sync, whose it is.
    pub(crate) offset: u64,
    pub(crate) data: Vec<u8>,
}

/// Reads a diary, up to a last record that a killed process left in part.
pub(crate) fn read_diary(path: &Path) -> Vec<Record> {
    let bytes = fs::read(path).unwrap();
    let (mut records, mut rest) = (Vec::new(), bytes.as_slice());
    while let Some((head, after)) = rest.split_at_checked(15) {
        let path_length = usize::from(u16::from_le_bytes([head[1], head[2]]));
        let offset = u64::from_le_bytes(head[3..11].try_into().unwrap());
        let length = u32::from_le_bytes(head[11..15].try_into().unwrap()) as usize;
        let Some((path, after)) = after.split_at_checked(path_length) else { break };
        let Some((data, after)) = after.split_at_checked(length) else { break };
        let path = String::from_utf8(path.to_vec()).unwrap();
        records.push(Record { kind: head[0], path, offset, data: data.to_vec() });
        rest = after;
    }
    records
}
