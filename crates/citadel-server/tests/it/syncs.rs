//! P34 for real: the system calls of a running server, in their order. No write is answered before its sync.

use std::{collections::HashSet, fs};

use axum::http::StatusCode;
use citadel_sdk::{Citadel, CreateBridgeToken};

use crate::{child::ServerChild, kills};

/// Writes, one after the other, so that each answer belongs to the sync before it.
const WRITES: usize = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p34_no_write_is_answered_before_its_sync() {
    let mut child = ServerChild::new("syncs");
    let (client_id, secret) = kills::client(&child).await;
    let trace = child.home().join("trace");
    let address = child.start_traced("pwrite64,fdatasync,fsync,write,writev,sendto", &trace).await;
    let url = format!("http://{address}");
    let citadel = Citadel::builder(url.clone(), client_id.to_string(), secret).build().unwrap();
    for _ in 0..WRITES {
        citadel.create_bridge_token(&CreateBridgeToken::new("income")).await.unwrap();
    }
    // An answer that needs no sync: the test would fail if it took every answer for one that does.
    let unknown = reqwest::get(format!("{url}/v1/nothing/")).await.unwrap();
    assert_eq!(unknown.status(), StatusCode::NOT_FOUND);
    child.kill();

    let answers = Answers::read(&fs::read_to_string(&trace).unwrap());
    assert_eq!(answers.after_sync, WRITES, "{answers:?}");
    assert_eq!(answers.before_sync, 0, "{answers:?}");
}

/// Good answers, by whether what was written before them was synced.
#[derive(Debug, Default)]
struct Answers {
    after_sync: usize,
    before_sync: usize,
}

impl Answers {
    /// Reads lines such as `71 pwrite64(9</…/citadel.db-wal>, …) = 4096` and `72 writev(12<socket:[4]>, [{…HTTP/1.1 200 OK…`.
    /// A call that takes a while is two lines, the second of which begins with `<... fdatasync resumed>`.
    fn read(trace: &str) -> Self {
        let mut answers = Self::default();
        let mut waiting = HashSet::new();
        // Something was written since the last answer; and all of it was synced.
        let (mut is_written, mut is_synced) = (false, false);
        for line in trace.lines() {
            let Some((process, call)) = line.split_once(char::is_whitespace) else { continue };
            let call = call.trim_start();
            let is_sync = call.starts_with("fdatasync(") || call.starts_with("fsync(");
            if call.starts_with("pwrite64(") && call.contains("citadel.db-wal>") {
                (is_written, is_synced) = (true, false);
            } else if is_sync && call.contains("citadel.db-wal>") {
                if call.ends_with("<unfinished ...>") {
                    waiting.insert(process);
                } else {
                    is_synced |= call.ends_with("= 0");
                }
            } else if call.contains("sync resumed>") && waiting.remove(process) {
                is_synced |= call.ends_with("= 0");
            } else if call.contains("HTTP/1.1 200 OK") {
                match is_written && is_synced {
                    true => answers.after_sync += 1,
                    false => answers.before_sync += 1,
                }
                is_written = false;
            }
        }
        answers
    }
}

#[test]
fn an_answer_before_the_sync_is_seen() {
    let write = "71 pwrite64(9</tmp/citadel.db-wal>, \"..\"..., 4096, 32) = 4096\n";
    let (sync, unsure) = ("71 fdatasync(9</tmp/citadel.db-wal>", "71 <... fdatasync resumed>)");
    let answer = "72 writev(12<socket:[4]>, [{iov_base=\"HTTP/1.1 200 OK\\r\\n\"..., iov_len=90}], 1) = 90\n";
    let of = |parts: &[&str]| {
        let answers = Answers::read(&parts.concat());
        (answers.after_sync, answers.before_sync)
    };
    assert_eq!(of(&[write, sync, ") = 0\n", answer]), (1, 0));
    assert_eq!(of(&[write, answer, sync, ") = 0\n"]), (0, 1));
    assert_eq!(of(&[write, sync, ") = 0\n", write, answer]), (0, 1));
    assert_eq!(of(&[write, sync, ") = -1 EIO (Input/output error)\n", answer]), (0, 1));
    assert_eq!(of(&[write, sync, " <unfinished ...>\n", answer, unsure, " = 0\n"]), (0, 1));
    assert_eq!(of(&[write, sync, " <unfinished ...>\n", unsure, " = 0\n", answer]), (1, 0));
}
