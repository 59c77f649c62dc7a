//! P25: the audit trail, and those who would rather have it otherwise.

use std::{collections::HashMap, sync::Arc};

use citadel_domain::{ClientId, Environment, LinkId, ObjectId, Random, SeededRandom};
use citadel_store::{
    Db, Dialect, Error, Keyring, Row, Tenant, Tx, Value,
    audit::{
        self, Act, Actor, Detail, Entry, Filter, Head, Object, ObjectKind, Outcome, SERVER,
        verify::{self, Finding, What},
    },
};
use jiff::{SignedDuration, Timestamp};

use crate::harness::{Store, for_each_db};

/// The key of all trails here.
pub(crate) fn keyring() -> Arc<Keyring> {
    Arc::new(Keyring::open(&[9; 32], Arc::new(SeededRandom::new(3))).unwrap())
}

impl Store {
    pub(crate) fn entry(&self, client_id: ClientId, act: Act) -> Entry {
        let link_id = LinkId::generate(self.now, &*self.random);
        Entry {
            client_id,
            environment: Some(Environment::Sandbox),
            at: self.now,
            actor: Actor::OPERATOR,
            act,
            object: Object::of(ObjectKind::Link, link_id.as_bytes()),
            outcome: Outcome::Done,
            request_id: Some("0a".repeat(16)),
            detail: Detail::NONE.words("fields", ["ssn", "pay"]),
        }
    }

    /// An entry in a client's chain.
    pub(crate) async fn audited(&self, tenant: Tenant, act: Act) -> Entry {
        let (entry, keyring) = (self.entry(tenant.client_id, act), keyring());
        let kept = entry.clone();
        let db = self.db.scoped(tenant.client_id);
        db.write(async move |tx| audit::append(tx, &keyring, &kept).await).await.unwrap();
        entry
    }

    async fn append(&self, entry: Entry) -> i64 {
        let keyring = keyring();
        self.db.write(async move |tx| audit::append(tx, &keyring, &entry).await).await.unwrap()
    }

    /// The row of a chain's head: entries, hash and seal.
    async fn head_row(&self, client_id: ClientId) -> [Value; 3] {
        let sql = "select last, last_hash, seal from audit_heads where client_id = $1";
        let read = |row: &Row<'_>| {
            let (hash, seal): (Vec<u8>, Vec<u8>) = (row.get(1)?, row.get(2)?);
            Ok([Value::from(row.get::<i64>(0)?), Value::from(hash), Value::from(seal)])
        };
        self.db.read(async move |tx| tx.fetch_one(sql, &[client_id.into()], read).await).await.unwrap()
    }

    /// Chains of different lengths, what was copied out of them, and their heads at every length.
    async fn trail(&self) -> Tampering {
        let mut chains = vec![SERVER];
        for _ in 0..3 {
            chains.push(self.tenant().await.client_id);
        }
        let mut earlier = HashMap::new();
        for (number, client_id) in chains.iter().enumerate() {
            for _ in 0..(5 + 4 * number) {
                let last = self.append(self.entry(*client_id, Act::LinkDeleted)).await;
                earlier.insert((*client_id, last), self.head_row(*client_id).await);
            }
        }
        let heads = self.db.read(async |tx| audit::heads(tx).await).await.unwrap();
        Tampering { random: SeededRandom::new(25), chains, heads, earlier }
    }
}

/// Everything that is wrong, checked a few entries at a time.
async fn findings(tx: &mut Tx<'_>, heads: &[Head]) -> Result<Vec<Finding>, Error> {
    let keyring = keyring();
    let (mut findings, mut place) = (Vec::new(), None);
    loop {
        let page = verify::page(tx, &keyring, place, 7).await?;
        findings.extend(page.finding);
        place = page.next;
        if place.is_none() {
            findings.extend(verify::exported(tx, &keyring, heads).await?);
            return Ok(findings);
        }
    }
}

async fn findings_of(db: &Db, heads: Vec<Head>) -> Vec<Finding> {
    db.read(async move |tx| findings(tx, &heads).await).await.unwrap()
}

/// What somebody does who owns the database, and so first takes away what refuses.
async fn unlock(tx: &mut Tx<'_>) -> Result<(), Error> {
    let statements: &[&'static str] = match tx.dialect() {
        Dialect::Sqlite => &[
            "drop trigger audit_entries_stay",
            "drop trigger audit_entries_last",
            "drop trigger audit_heads_grow",
            "drop trigger audit_heads_stay",
        ],
        Dialect::Postgres => &[
            "alter table audit_entries disable trigger user",
            "alter table audit_heads disable trigger user",
        ],
    };
    for statement in statements {
        tx.execute(statement, &[]).await?;
    }
    Ok(())
}

/// One way of tampering, drawn by chance.
struct Tampering {
    random: SeededRandom,
    chains: Vec<ClientId>,
    heads: Vec<Head>,
    /// Rows of heads that somebody wrote down in time.
    earlier: HashMap<(ClientId, i64), [Value; 3]>,
}

const KINDS: usize = 10;

impl Tampering {
    fn below(&self, limit: i64) -> i64 {
        let mut bytes = [0; 4];
        self.random.fill(&mut bytes);
        i64::from(u32::from_be_bytes(bytes)) % limit
    }

    fn bytes(&self) -> Value {
        let mut bytes = vec![0; 32];
        self.random.fill(&mut bytes);
        Value::Bytes(bytes)
    }

    async fn run(&self, tx: &mut Tx<'_>, kind: usize) -> Result<(), Error> {
        let client = self.chains[usize::try_from(self.below(self.chains.len() as i64)).unwrap()];
        let last = self.heads.iter().find(|head| head.client_id == client).unwrap().number;
        let number = 1 + self.below(last);
        let (chain, at) = (Value::from(client), Value::from(number));
        match kind {
            0 => self.edit(tx, chain, at).await,
            1 => {
                run(tx, "delete from audit_entries where client_id = $1 and number = $2", &[chain, at]).await
            }
            2 => self.insert(tx, chain, at, Value::from(last + 1 + self.below(3))).await,
            3 => self.insert_between(tx, chain, number, last).await,
            4 => self.swap(tx, chain, number, 1 + (number + self.below(last - 1)) % last).await,
            5 => self.cut(tx, client, last, number).await,
            6 => {
                // With a head that fits but for its seal.
                self.cut(tx, client, last, number).await?;
                let sql = "update audit_heads set last = $2 - 1, last_hash = coalesce((select entry_hash from audit_entries
                            where client_id = $1 and number = $2 - 1), dropped_hash) where client_id = $1";
                run(tx, sql, &[chain, at]).await
            }
            7 => self.give_away(tx, client, at).await,
            8 => self.rewind(tx, client, last, number).await,
            _ => {
                // As if the chain had never been.
                run(tx, "delete from audit_entries where client_id = $1", std::slice::from_ref(&chain))
                    .await?;
                run(tx, "delete from audit_heads where client_id = $1", &[chain]).await
            }
        }
    }

    async fn edit(&self, tx: &mut Tx<'_>, chain: Value, at: Value) -> Result<(), Error> {
        const EDITS: [(&str, bool); 12] = [
            ("update audit_entries set at = at + 1 where client_id = $1 and number = $2", false),
            ("update audit_entries set act = 'link_kept' where client_id = $1 and number = $2", false),
            ("update audit_entries set actor_kind = 'server' where client_id = $1 and number = $2", false),
            ("update audit_entries set actor_id = client_id where client_id = $1 and number = $2", false),
            ("update audit_entries set environment = null where client_id = $1 and number = $2", false),
            ("update audit_entries set object_kind = 'user' where client_id = $1 and number = $2", false),
            ("update audit_entries set object_id = null where client_id = $1 and number = $2", false),
            ("update audit_entries set outcome = 'refused' where client_id = $1 and number = $2", false),
            ("update audit_entries set request_id = '' where client_id = $1 and number = $2", false),
            ("update audit_entries set detail = '{}' where client_id = $1 and number = $2", false),
            ("update audit_entries set previous_hash = $3 where client_id = $1 and number = $2", true),
            ("update audit_entries set entry_hash = $3 where client_id = $1 and number = $2", true),
        ];
        let (sql, takes_bytes) = EDITS[usize::try_from(self.below(EDITS.len() as i64)).unwrap()];
        let mut values = vec![chain, at];
        if takes_bytes {
            values.push(self.bytes());
        }
        run(tx, sql, &values).await
    }

    /// A copy of an entry under another number, linked to what is there.
    async fn insert(&self, tx: &mut Tx<'_>, chain: Value, at: Value, to: Value) -> Result<(), Error> {
        let sql = "insert into audit_entries
                select client_id, $3, at, actor_kind, actor_id, environment, act, object_kind, object_id, outcome, request_id,
                       detail, entry_hash, $4 from audit_entries where client_id = $1 and number = $2";
        run(tx, sql, &[chain, at, to, self.bytes()]).await
    }

    async fn insert_between(
        &self,
        tx: &mut Tx<'_>,
        chain: Value,
        number: i64,
        last: i64,
    ) -> Result<(), Error> {
        for moved in (number + 1..=last).rev() {
            let sql = "update audit_entries set number = number + 1 where client_id = $1 and number = $2";
            run(tx, sql, &[chain.clone(), moved.into()]).await?;
        }
        self.insert(tx, chain.clone(), number.into(), Value::from(number + 1)).await?;
        run(tx, "update audit_heads set last = last + 1 where client_id = $1", &[chain]).await
    }

    async fn swap(&self, tx: &mut Tx<'_>, chain: Value, one: i64, other: i64) -> Result<(), Error> {
        assert_ne!(one, other);
        for (from, to) in [(one, -1), (other, one), (-1, other)] {
            let sql = "update audit_entries set number = $3 where client_id = $1 and number = $2";
            run(tx, sql, &[chain.clone(), from.into(), to.into()]).await?;
        }
        Ok(())
    }

    async fn cut(&self, tx: &mut Tx<'_>, client: ClientId, last: i64, from: i64) -> Result<(), Error> {
        let sql = "delete from audit_entries where client_id = $1 and number >= $2";
        let gone = tx.execute(sql, &[client.into(), from.into()]).await?;
        assert_eq!(gone, u64::try_from(last - from + 1).unwrap());
        Ok(())
    }

    /// The newest entry of one client becomes another's.
    async fn give_away(&self, tx: &mut Tx<'_>, client: ClientId, at: Value) -> Result<(), Error> {
        let to = self.heads.iter().find(|head| head.client_id != client).unwrap();
        let sql = "update audit_entries set client_id = $3, number = $4 where client_id = $1 and number = $2";
        run(tx, sql, &[client.into(), at, to.client_id.into(), Value::from(to.number + 1)]).await
    }

    /// The cleverest: the chain is put back to what it was once, with the head that it had then.
    async fn rewind(&self, tx: &mut Tx<'_>, client: ClientId, last: i64, from: i64) -> Result<(), Error> {
        let from = from.max(2);
        self.cut(tx, client, last, from).await?;
        let sql = "update audit_heads set last = $2, last_hash = $3, seal = $4 where client_id = $1";
        let [last, hash, seal] = self.earlier[&(client, from - 1)].clone();
        run(tx, sql, &[client.into(), last, hash, seal]).await
    }
}

async fn run(tx: &mut Tx<'_>, sql: &'static str, values: &[Value]) -> Result<(), Error> {
    assert!(tx.execute(sql, values).await? > 0, "nothing was tampered with: {sql}");
    Ok(())
}

/// Undoes what was done in a transaction, and hands out what was seen in it.
enum Undone {
    Seen(Vec<Finding>),
    Failed(Error),
}

impl From<Error> for Undone {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

#[tokio::test]
async fn p25_of_1000_tamperings_every_one_is_found() {
    for_each_db("audit_tampering", async |store| {
        let tampering = Arc::new(store.trail().await);
        assert_eq!(findings_of(&store.db, tampering.heads.clone()).await, []);
        let (mut found, mut without_exports) = (0, [0; KINDS]);
        for number in 0..1000 {
            let (tampering, kind) = (Arc::clone(&tampering), number % KINDS);
            let undone: Result<(), Undone> = store
                .db
                .write(async move |tx| {
                    unlock(tx).await?;
                    tampering.run(tx, kind).await?;
                    Err(Undone::Seen(findings(tx, &tampering.heads).await?))
                })
                .await;
            let seen = match undone {
                Err(Undone::Seen(seen)) => seen,
                Err(Undone::Failed(error)) => panic!("kind {kind}: {error:?}"),
                Ok(()) => unreachable!("every attempt is undone"),
            };
            assert!(!seen.is_empty(), "tampering {number} of kind {kind} was not found");
            found += 1;
            without_exports[kind] += usize::from(seen.iter().any(|finding| finding.what != What::Exported));
        }
        assert_eq!(found, 1000);
        // Who puts back an earlier state whole is told by nothing but what was copied out, and so is who leaves nothing.
        assert_eq!(without_exports, [100, 100, 100, 100, 100, 100, 100, 100, 0, 0]);
        assert_eq!(findings_of(&store.db, tampering.heads.clone()).await, [], "nothing of it stayed");
    })
    .await;
}

#[tokio::test]
async fn p25_the_database_refuses_to_change_and_to_delete() {
    for_each_db("audit_append_only", async |store| {
        let tenant = store.tenant().await;
        store.audited(tenant, Act::LinkDeleted).await;
        store.audited(tenant, Act::UserDeleted).await;
        for sql in [
            "update audit_entries set act = act",
            "delete from audit_entries",
            "update audit_heads set last = last - 1",
            "delete from audit_heads",
        ] {
            let refused = store.db.write(async move |tx| tx.execute(sql, &[]).await).await;
            assert!(matches!(refused, Err(Error::Conflict)), "{sql}: {refused:?}");
        }
        if store.db.is_shared() {
            for sql in ["truncate audit_entries", "truncate audit_heads"] {
                let refused = store.db.write(async move |tx| tx.execute(sql, &[]).await).await;
                assert!(refused.is_err(), "{sql}");
            }
        }
        assert_eq!(findings_of(&store.db, Vec::new()).await, []);
    })
    .await;
}

#[tokio::test]
async fn p25_a_forged_head_is_not_made_good_by_the_next_entry() {
    for_each_db("audit_forged_head", async |store| {
        let client_id = store.tenant().await.client_id;
        for _ in 0..5 {
            store.append(store.entry(client_id, Act::LinkDeleted)).await;
        }
        let cut = store.db.write(async move |tx| {
            unlock(tx).await?;
            let chain = [Value::from(client_id)];
            run(tx, "delete from audit_entries where client_id = $1 and number > 3", &chain).await?;
            let sql = "update audit_heads set last = 3, last_hash = (select entry_hash from audit_entries
                        where client_id = $1 and number = 3) where client_id = $1";
            run(tx, sql, &chain).await
        });
        cut.await.unwrap();
        for number in [4, 5, 6] {
            assert_eq!(store.append(store.entry(client_id, Act::UserDeleted)).await, number);
        }
        let finding = Finding { client_id, number: 6, what: What::Head };
        assert_eq!(findings_of(&store.db, Vec::new()).await, [finding]);
    })
    .await;
}

#[tokio::test]
async fn p25_another_key_makes_no_entry() {
    for_each_db("audit_other_key", async |store| {
        let client_id = store.tenant().await.client_id;
        store.append(store.entry(client_id, Act::LinkDeleted)).await;
        let other = Keyring::open(&[8; 32], Arc::new(SeededRandom::new(4))).unwrap();
        let forged = store.entry(client_id, Act::LinkDeleted);
        store.db.write(async move |tx| audit::append(tx, &other, &forged).await).await.unwrap();
        let found = findings_of(&store.db, Vec::new()).await;
        assert_eq!(found, [Finding { client_id, number: 2, what: What::Head }]);
    })
    .await;
}

#[tokio::test]
async fn p25_what_is_left_after_five_years_verifies() {
    for_each_db("audit_five_years", async |store| {
        let client_id = store.tenant().await.client_id;
        let mut heads = Vec::new();
        for year in 0..8 {
            let at = store.now + SignedDuration::from_hours(365 * 24 * year);
            store.append(Entry { at, ..store.entry(client_id, Act::LinkDeleted) }).await;
            heads.extend(store.db.read(async |tx| audit::heads(tx).await).await.unwrap());
        }
        let before = (store.now + SignedDuration::from_hours(365 * 24 * 7)) - audit::KEPT;
        let (keyring, patient) = (keyring(), store.db.patient());
        for expected in [2, 0] {
            let keyring = Arc::clone(&keyring);
            let gone = patient.write(async move |tx| audit::forget(tx, &keyring, client_id, before).await);
            assert_eq!(gone.await.unwrap(), expected);
        }
        assert_eq!(numbers(&store.db, client_id, Filter::default(), None).await, [8, 7, 6, 5, 4, 3]);
        // Old exports of what had its time are no findings; what is left is still held against newer ones.
        assert_eq!(findings_of(&store.db, heads.clone()).await, []);
        assert_eq!(store.append(store.entry(client_id, Act::LinkDeleted)).await, 9);
        assert_eq!(findings_of(&store.db, heads).await, []);
        let again = store.db.write(async move |tx| {
            tx.execute("delete from audit_entries where client_id = $1 and number = 3", &[client_id.into()])
                .await
        });
        assert!(again.await.is_err(), "the oldest that is left stays");
    })
    .await;
}

#[tokio::test]
async fn p25_entries_that_are_written_at_once_make_one_chain() {
    for_each_db("audit_at_once", async |store| {
        let client_id = store.tenant().await.client_id;
        let tasks: Vec<_> = (0..32)
            .map(|_| {
                let (store, entry) = (store.clone(), store.entry(client_id, Act::LinkDeleted));
                tokio::spawn(async move { store.append(entry).await })
            })
            .collect();
        let mut numbers = Vec::new();
        for task in tasks {
            numbers.push(task.await.unwrap());
        }
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=32).collect::<Vec<_>>());
        assert_eq!(findings_of(&store.db, Vec::new()).await, []);
    })
    .await;
}

async fn numbers(db: &Db, client_id: ClientId, filter: Filter, before: Option<i64>) -> Vec<i64> {
    let found = db.read(async move |tx| audit::list(tx, client_id, filter, before, 100).await).await;
    found.unwrap().iter().map(|record| record.number).collect()
}

#[tokio::test]
async fn entries_are_listed_by_what_is_asked() {
    for_each_db("audit_list", async |store| {
        let (tenant, other) = (store.tenant().await, store.tenant().await);
        let first = store.audited(tenant, Act::LinkDeleted).await;
        let second = store.entry(tenant.client_id, Act::AccessKeyCreated);
        let later = store.after(60);
        let second = Entry { at: later, outcome: Outcome::Refused, environment: None, ..second };
        store.append(second.clone()).await;
        store.audited(other, Act::UserDeleted).await;

        let client = tenant.client_id;
        let all = Filter::default();
        assert_eq!(numbers(&store.db, client, all, None).await, [2, 1]);
        assert_eq!(numbers(&store.db, client, all, Some(2)).await, [1]);
        let cases = [
            (Filter { act: Some(Act::LinkDeleted), ..all }, vec![1]),
            (Filter { outcome: Some(Outcome::Refused), ..all }, vec![2]),
            (Filter { environment: Some(Environment::Sandbox), ..all }, vec![1]),
            (Filter { since: Some(later), ..all }, vec![2]),
            (Filter { until: Some(later), ..all }, vec![1]),
            (Filter { after: Some(1), ..all }, vec![2]),
            (Filter { after: Some(1), object_id: first.object.id, ..all }, vec![]),
            (Filter { object_id: first.object.id, ..all }, vec![1]),
            (Filter { object_id: second.object.id, act: Some(Act::LinkDeleted), ..all }, vec![]),
            (Filter { actor_id: Some(ObjectId::from_bytes([1; 16])), ..all }, vec![]),
            (Filter { actor_kind: Some(audit::ActorKind::Operator), ..all }, vec![2, 1]),
        ];
        for (filter, expected) in cases {
            assert_eq!(numbers(&store.db, client, filter, None).await, expected, "{filter:?}");
        }
        let list =
            store.db.read(async move |tx| audit::list(tx, client, all, Some(2), 1).await).await.unwrap();
        let [record] = list.as_slice() else { panic!("{list:?}") };
        assert_eq!(record.detail, r#"{"fields":["ssn","pay"]}"#);
        assert_eq!((record.act.as_str(), record.outcome.as_str()), ("link_deleted", "done"));
        assert_eq!(record.at, Timestamp::from_second(store.now.as_second()).unwrap());
        assert_eq!(record.request_id, first.request_id);
    })
    .await;
}

#[test]
fn the_detail_is_json_whatever_the_words_are() {
    let detail =
        Detail::NONE.word("why", "a \"quote\", a \\ and a\u{0}\n").count("times", 3).words("of", ["x", "y"]);
    let json: serde_json::Value = serde_json::from_str(&detail.to_string()).unwrap();
    assert_eq!(json["why"], "a \"quote\", a \\ and a\u{0}\n");
    assert_eq!((json["times"].as_i64(), json["of"][1].as_str()), (Some(3), Some("y")));
    assert_eq!(Detail::NONE.to_string(), "{}");
}

#[test]
fn a_line_of_the_file_of_heads_is_read_back() {
    let head = Head { client_id: ClientId::from_bytes([7; 16]), number: 12, hash: [3; 32] };
    assert_eq!(Head::parse(&head.line(Timestamp::UNIX_EPOCH)), Some(head));
    for bad in ["", "a b c d", &head.line(Timestamp::UNIX_EPOCH)[1..].replace(' ', "")] {
        assert_eq!(Head::parse(bad), None);
    }
}
