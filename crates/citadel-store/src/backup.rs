//! Backups of the embedded database: one consistent copy, checked and sealed (P60).
//!
//! A backup is `[magic: 8][root key id: 4][salt: 32]`, then chunks `[length: 4][ciphertext and tag]`. Each is sealed by
//! AES-256-GCM-SIV under a key that the named version of the root key and the salt make; the nonce counts the chunks and says
//! which is the last one, so that nothing can be cut off, left out or put elsewhere. The first chunk says what is inside
//! ([`Contents`]), the others are the database file.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, BufReader, BufWriter, Read, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use aws_lc_rs::aead::{Aad, LessSafeKey, NONCE_LEN, Nonce};
use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags};

use crate::{
    Db, Error as StoreError, Keyring, RootKeyId,
    root_keys::{self, Fit},
    sqlite::private,
};

const MAGIC: &[u8; 8] = b"CITBACK1";
const SALT_LEN: usize = 32;
const HEADER_LEN: usize = MAGIC.len() + 4 + SALT_LEN;
/// Plain bytes of a chunk.
const CHUNK: usize = 1 << 20;
const TAG_LEN: usize = 16;

/// Why a backup was not made, or is no good.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    /// It is something else.
    #[error("this is no backup of Citadel")]
    NoBackup,
    /// Sealed under a key that is not there.
    #[error(
        "it is sealed under version {0} of the root key, which the key file does not hold: add that version's line"
    )]
    UnknownKey(RootKeyId),
    /// The key file is another database's.
    #[error("the root key file is not that of this database")]
    WrongKey,
    /// It does not open, or not to its end.
    #[error("it is damaged: {0}")]
    Damaged(String),
    /// A newer release made it.
    #[error(
        "it has the schema {0}, which this version does not know: use the release that made it, or a newer one"
    )]
    Newer(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

fn at(path: &Path) -> impl Fn(io::Error) -> Error + '_ {
    |source| Error::File { path: path.to_owned(), source }
}

/// What a backup holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    pub made_at: Timestamp,
    /// The version of the root key that sealed it.
    pub root_key: RootKeyId,
    /// The last migration.
    pub schema: String,
    /// Of the database file.
    pub bytes: u64,
    /// Rows, by table.
    pub rows: BTreeMap<String, u64>,
}

/// How far it has come, in bytes: done, of how many.
pub type Progress = Arc<dyn Fn(u64, u64) + Send + Sync>;

/// Removed when dropped.
struct Scratch(PathBuf);

impl Scratch {
    /// A private file that is empty.
    fn new(path: PathBuf) -> Result<Self, Error> {
        let _ = fs::remove_file(&path);
        private().create_new(true).open(&path).map_err(at(&path))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
        let _ = fs::remove_file(beside(&self.0, "-journal"));
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Takes a backup of the database file `source` as it is at this moment, while others go on reading and writing it, also those
/// of another process. `target` must not exist; it is whole, or not there.
pub fn create(
    source: &Path,
    target: &Path,
    keyring: &Keyring,
    now: Timestamp,
    progress: &Progress,
) -> Result<Contents, Error> {
    if target.exists() {
        return Err(at(target)(io::ErrorKind::AlreadyExists.into()));
    }
    let copy = Scratch::new(beside(target, ".copy"))?;
    copy_database(source, &copy.0, progress)?;
    let mut connection = read_only(&copy.0)?;
    connection.execute_batch("begin")?;
    let fits = crate::db::run_on_sqlite(
        &async |tx: &mut crate::Tx<'_>| root_keys::fit(tx, keyring).await,
        &mut connection,
    )?;
    // Of a database in which nothing was ever sealed there is nothing to lose.
    if !matches!(fits, Fit::Right | Fit::New) {
        return Err(Error::WrongKey);
    }
    let size = fs::metadata(&copy.0).map_err(at(&copy.0))?.len();
    let contents = Contents {
        made_at: now,
        root_key: keyring.current(),
        schema: schema(&copy.0)?,
        bytes: size,
        rows: count_rows(&copy.0)?,
    };
    let partial = Scratch::new(beside(target, ".partial"))?;
    let file = private().open(&partial.0).map_err(at(&partial.0))?;
    let mut writer = Sealer::begin(BufWriter::new(file), keyring, &partial.0)?;
    writer.chunk(contents.to_text().as_bytes(), false)?;
    let mut database = File::open(&copy.0).map_err(at(&copy.0))?;
    let mut buffer = vec![0; CHUNK];
    let mut done = 0;
    loop {
        let length = read_full(&mut database, &mut buffer).map_err(at(&copy.0))?;
        let is_last = length < CHUNK;
        writer.chunk(&buffer[..length], is_last)?;
        done += length as u64;
        progress(size + done, 2 * size);
        if is_last {
            break;
        }
    }
    let file = writer.writer.into_inner().map_err(|error| at(&partial.0)(error.into_error()))?;
    file.sync_all().map_err(at(&partial.0))?;
    // Links where a rename would replace what somebody else has put there meanwhile.
    fs::hard_link(&partial.0, target).map_err(at(target))?;
    sync_folder(target)?;
    Ok(contents)
}

/// Opens a backup into `target`, which must not exist, and checks what came out of it.
pub fn extract(
    source: &Path,
    target: &Path,
    keyring: &Keyring,
    progress: &Progress,
) -> Result<Contents, Error> {
    let mut opener = Opener::begin(source, keyring)?;
    let (text, is_last) = opener.chunk()?;
    if is_last {
        return Err(Error::Damaged("it holds no database".to_owned()));
    }
    let contents = Contents::parse(&text, opener.root_key)?;
    let mut file = private().create_new(true).open(target).map_err(at(target))?;
    let mut done = 0;
    loop {
        let (plain, is_last) = opener.chunk()?;
        file.write_all(&plain).map_err(at(target))?;
        done += plain.len() as u64;
        progress(done, contents.bytes);
        if is_last {
            break;
        }
    }
    opener.end()?;
    file.sync_all().map_err(at(target))?;
    check(target, &contents, done)?;
    Ok(contents)
}

/// Opens a backup, checks all of it, and keeps nothing. What is opened lies in `folder` meanwhile.
pub fn verify(
    source: &Path,
    folder: &Path,
    keyring: &Keyring,
    progress: &Progress,
) -> Result<Contents, Error> {
    let copy = Scratch::new(folder.join(format!(".citadel-verify-{}", std::process::id())))?;
    fs::remove_file(&copy.0).map_err(at(&copy.0))?;
    extract(source, &copy.0, keyring, progress)
}

/// Puts what an open database holds at this moment into a file of its own, which must not exist. Nobody who still has the other
/// one open has this one open.
pub fn move_out(source: &Path, target: &Path, progress: &Progress) -> Result<(), Error> {
    let copy = Scratch::new(beside(target, ".copy"))?;
    copy_database(source, &copy.0, progress)?;
    fs::hard_link(&copy.0, target).map_err(at(target))?;
    sync_folder(target)
}

fn sync_folder(path: &Path) -> Result<(), Error> {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(at(folder))
}

/// One snapshot of the database in a file of its own.
fn copy_database(source: &Path, target: &Path, progress: &Progress) -> Result<(), Error> {
    let mut connection = read_only(source)?;
    let pages: i64 = connection.query_row("pragma page_count", [], |row| row.get(0))?;
    let size: i64 = connection.query_row("pragma page_size", [], |row| row.get(0))?;
    let (grows, seen, total) = (target.to_owned(), Arc::clone(progress), (pages * size).unsigned_abs());
    let look = move || {
        let done = fs::metadata(&grows).map_or(0, |metadata| metadata.len());
        seen(done.min(total), 2 * total);
        false
    };
    connection.progress_handler(100_000, Some(look))?;
    let target = target.to_str().ok_or_else(|| Error::Damaged("its path is not UTF-8".to_owned()))?;
    connection.execute("vacuum into ?1", [target])?;
    File::open(target).and_then(|file| file.sync_all()).map_err(at(Path::new(target)))
}

fn read_only(path: &Path) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    Ok(connection)
}

fn schema(path: &Path) -> Result<String, Error> {
    let sql = "select coalesce(max(name), '') from schema_migrations";
    Ok(read_only(path)?.query_row(sql, [], |row| row.get(0))?)
}

fn count_rows(path: &Path) -> Result<BTreeMap<String, u64>, Error> {
    let connection = read_only(path)?;
    let sql =
        "select name from sqlite_schema where type = 'table' and name not like 'sqlite_%' order by name";
    let tables: Vec<String> =
        connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let count = |table: String| {
        let sql = format!("select count(*) from \"{table}\"");
        let count: i64 = connection.query_row(&sql, [], |row| row.get(0))?;
        Ok((table, count.unsigned_abs()))
    };
    tables.into_iter().map(count).collect()
}

/// Whether a database file is what the backup says, and sound.
fn check(path: &Path, contents: &Contents, bytes: u64) -> Result<(), Error> {
    if bytes != contents.bytes {
        return Err(Error::Damaged(format!("{bytes} bytes in place of {}", contents.bytes)));
    }
    let connection = read_only(path)?;
    let found: String = connection.query_row("pragma integrity_check(1)", [], |row| row.get(0))?;
    if found != "ok" {
        return Err(Error::Damaged(found));
    }
    let dangling: Option<String> = connection
        .prepare("pragma foreign_key_check")?
        .query_map([], |row| row.get(0))?
        .next()
        .transpose()?;
    if let Some(table) = dangling {
        return Err(Error::Damaged(format!("a row of {table} names one that is not there")));
    }
    if !Db::migrations().any(|known| known == contents.schema) {
        return Err(Error::Newer(contents.schema.clone()));
    }
    if count_rows(path)? != contents.rows {
        return Err(Error::Damaged("its tables have other numbers of rows than were written".to_owned()));
    }
    Ok(())
}

impl Contents {
    fn to_text(&self) -> String {
        let mut text = format!(
            "made_at {}\nschema {}\nbytes {}\n",
            self.made_at.as_microsecond(),
            self.schema,
            self.bytes
        );
        for (table, count) in &self.rows {
            text.push_str(&format!("rows {table} {count}\n"));
        }
        text
    }

    fn parse(text: &[u8], root_key: RootKeyId) -> Result<Self, Error> {
        let damaged = || Error::Damaged("its contents cannot be read".to_owned());
        let text = std::str::from_utf8(text).map_err(|_| damaged())?;
        let (mut made_at, mut schema, mut bytes, mut rows) = (None, None, None, BTreeMap::new());
        for line in text.lines() {
            match line.split(' ').collect::<Vec<_>>().as_slice() {
                ["made_at", micros] => {
                    made_at = micros.parse().ok().and_then(|micros| Timestamp::from_microsecond(micros).ok());
                }
                ["schema", name] => schema = Some((*name).to_owned()),
                ["bytes", count] => bytes = count.parse().ok(),
                ["rows", table, count] => {
                    rows.insert((*table).to_owned(), count.parse().map_err(|_| damaged())?);
                }
                // A later release may say more.
                _ => {}
            }
        }
        match (made_at, schema, bytes) {
            (Some(made_at), Some(schema), Some(bytes)) => Ok(Self { made_at, root_key, schema, bytes, rows }),
            _ => Err(damaged()),
        }
    }
}

/// The nonce of a chunk: its number, and whether it is the last.
fn nonce(number: u64, is_last: bool) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    bytes[0] = u8::from(is_last);
    bytes[NONCE_LEN - 8..].copy_from_slice(&number.to_be_bytes());
    Nonce::assume_unique_for_key(bytes)
}

struct Sealer<'a, W> {
    writer: W,
    path: &'a Path,
    key: LessSafeKey,
    header: [u8; HEADER_LEN],
    number: u64,
}

impl<'a, W: Write> Sealer<'a, W> {
    fn begin(mut writer: W, keyring: &Keyring, path: &'a Path) -> Result<Self, Error> {
        let id = keyring.current();
        let mut salt = [0; SALT_LEN];
        keyring.fill_random(&mut salt);
        let key = keyring.backup_key(id, &salt)?.ok_or(Error::UnknownKey(id))?;
        let mut header = [0; HEADER_LEN];
        header[..8].copy_from_slice(MAGIC);
        header[8..12].copy_from_slice(id.as_bytes());
        header[12..].copy_from_slice(&salt);
        writer.write_all(&header).map_err(at(path))?;
        Ok(Self { writer, path, key: LessSafeKey::new(key), header, number: 0 })
    }

    fn chunk(&mut self, plain: &[u8], is_last: bool) -> Result<(), Error> {
        let mut sealed = plain.to_vec();
        let nonce = nonce(self.number, is_last);
        let too_long = |_| Error::Damaged("a chunk that cannot be sealed".to_owned());
        self.key.seal_in_place_append_tag(nonce, Aad::from(self.header), &mut sealed).map_err(too_long)?;
        self.number += 1;
        let length = u32::try_from(sealed.len()).unwrap_or(u32::MAX).to_be_bytes();
        self.writer.write_all(&length).and_then(|()| self.writer.write_all(&sealed)).map_err(at(self.path))
    }
}

struct Opener<'a> {
    reader: BufReader<File>,
    path: &'a Path,
    root_key: RootKeyId,
    key: LessSafeKey,
    header: [u8; HEADER_LEN],
    number: u64,
}

impl<'a> Opener<'a> {
    fn begin(path: &'a Path, keyring: &Keyring) -> Result<Self, Error> {
        let mut reader = BufReader::new(File::open(path).map_err(at(path))?);
        let mut header = [0; HEADER_LEN];
        let length = read_full(&mut reader, &mut header).map_err(at(path))?;
        if length < HEADER_LEN || &header[..8] != MAGIC {
            return Err(Error::NoBackup);
        }
        let id: [u8; 4] = header[8..12].try_into().map_err(|_| Error::NoBackup)?;
        let root_key = RootKeyId::from(id);
        let key = keyring.backup_key(root_key, &header[12..])?.ok_or(Error::UnknownKey(root_key))?;
        Ok(Self { reader, path, root_key, key: LessSafeKey::new(key), header, number: 0 })
    }

    /// The next chunk, and whether it is the last one.
    fn chunk(&mut self) -> Result<(Vec<u8>, bool), Error> {
        let cut = || Error::Damaged("it ends too early".to_owned());
        let mut length = [0; 4];
        if read_full(&mut self.reader, &mut length).map_err(at(self.path))? < length.len() {
            return Err(cut());
        }
        let length = u32::from_be_bytes(length) as usize;
        if !(TAG_LEN..=CHUNK + TAG_LEN).contains(&length) {
            return Err(Error::Damaged(format!("chunk {} has no sensible length", self.number)));
        }
        let mut sealed = vec![0; length];
        if read_full(&mut self.reader, &mut sealed).map_err(at(self.path))? < length {
            return Err(cut());
        }
        for is_last in [false, true] {
            let mut plain = sealed.clone();
            let opened =
                self.key.open_in_place(nonce(self.number, is_last), Aad::from(self.header), &mut plain);
            if let Ok(opened) = opened {
                let length = opened.len();
                plain.truncate(length);
                self.number += 1;
                return Ok((plain, is_last));
            }
        }
        Err(Error::Damaged(format!("chunk {} does not open", self.number)))
    }

    /// Nothing may follow the last chunk.
    fn end(mut self) -> Result<(), Error> {
        let mut more = [0];
        match read_full(&mut self.reader, &mut more).map_err(at(self.path))? {
            0 => Ok(()),
            _ => Err(Error::Damaged("something follows its end".to_owned())),
        }
    }
}

/// Reads until the buffer is full or nothing is left.
fn read_full(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(length) => filled += length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
