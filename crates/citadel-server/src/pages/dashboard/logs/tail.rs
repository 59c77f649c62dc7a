//! Calls as they come, as server-sent events: those of this tenant that this node answers.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{
        IntoResponse,
        sse::{Event as Message, KeepAlive, Sse},
    },
};
use citadel_store::Tenant;
use serde::Serialize;
use tokio::{
    sync::{
        OwnedSemaphorePermit,
        broadcast::{Receiver, error::RecvError},
        mpsc,
    },
    time::{Instant, sleep_until},
};

use super::{Line, Names};
use crate::{
    api::event_stream::Messages,
    app::App,
    calls::Recorded,
    pages::dashboard::{
        guard::{self, Here},
        page::{PageError, PageResult},
    },
};

/// How long nobody asks whether the reader may still look, while nothing is shown.
const LOOK: Duration = Duration::from_secs(10);
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// Calls that are shown after one look whether the reader may still see them.
const AT_ONCE: usize = 32;

/// A row, as dashboard.js takes it.
#[derive(Serialize)]
struct Row<'a> {
    url: &'a str,
    cells: [&'a str; 5],
}

pub(in crate::pages::dashboard) async fn get_tail(
    State(app): State<App>,
    here: Here,
    headers: HeaderMap,
) -> PageResult<impl IntoResponse> {
    let slot = app.tails.try_enter(here.tenant.client_id).ok_or_else(|| {
        PageError::refused(StatusCode::TOO_MANY_REQUESTS, "Too many live lists are open: close one.")
    })?;
    // Before anything else is read, so that no call falls in between.
    let calls = app.calls.subscribe();
    let names = Names::read(&app, &here).await?;
    let (sender, receiver) = mpsc::channel(1);
    let reader = Reader { app, headers, tenant: here.tenant, names, _slot: slot };
    tokio::spawn(reader.feed(calls, sender));
    let stream = Sse::new(Messages(receiver)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    Ok(([(header::CACHE_CONTROL, "no-store")], stream))
}

/// Whom calls are shown to.
struct Reader {
    app: App,
    /// Of the request, with the cookie of the session.
    headers: HeaderMap,
    tenant: Tenant,
    names: Names,
    _slot: OwnedSemaphorePermit,
}

impl Reader {
    /// Until the reader goes, may look no more, or the server stops.
    async fn feed(self, mut calls: Receiver<Arc<Recorded>>, sender: mpsc::Sender<Message>) {
        let mut stopping = self.app.stopping.subscribe();
        let mut next_look = Instant::now() + LOOK;
        loop {
            let first = tokio::select! {
                call = calls.recv() => match call {
                    Ok(call) => Some(call),
                    // What was missed is in the list.
                    Err(RecvError::Lagged(_)) => None,
                    Err(RecvError::Closed) => return,
                },
                () = sleep_until(next_look) => None,
                () = sender.closed() => return,
                _ = stopping.wait_for(|is_stopping| *is_stopping) => return,
            };
            let more = std::iter::from_fn(|| calls.try_recv().ok()).take(AT_ONCE);
            let own: Vec<_> =
                first.into_iter().chain(more).filter(|call| call.tenant == self.tenant).collect();
            if own.is_empty() && Instant::now() < next_look {
                continue;
            }
            // Nothing is shown that was not asked for just before.
            if !guard::may_still_look(&self.app, &self.headers, self.tenant.client_id).await {
                return;
            }
            next_look = Instant::now() + LOOK;
            for call in own {
                let line = Line::of(&self.names, &call.call);
                let row = Row { url: &line.url, cells: line.cells() };
                let Ok(message) = Message::default().json_data(&row) else { continue };
                tokio::select! {
                    sent = sender.send(message) => if sent.is_err() { return },
                    _ = stopping.wait_for(|is_stopping| *is_stopping) => return,
                }
            }
        }
    }
}
