//! The log: where it goes, in which form, and what a panic may say.

use std::{
    any::Any,
    io::{self, IsTerminal},
    panic,
};

use tracing_subscriber::{EnvFilter, Layer as _, fmt, layer::SubscriberExt as _, registry};

use crate::{
    config::{Config, Profile},
    traces::{self, Tracer},
};

/// Starts logging to standard error: lines for people in development, JSON in production. The filter has been checked
/// with the rest of the configuration.
///
/// Records of the `log` crate are not collected, on purpose: the Postgres driver writes statement parameters there.
///
/// What `tracer` hears does not depend on the filter.
pub(crate) fn start(config: &Config, tracer: Option<Tracer>) {
    let filter = EnvFilter::new(&config.log);
    let colours = io::stderr().is_terminal();
    // A line that cannot be written is lost (P35): to complain about it on the same full disk would be a panic.
    let lines = fmt::layer().with_writer(io::stderr).with_ansi(colours).log_internal_errors(false);
    let lines = match config.profile {
        Profile::Development => lines.compact().with_filter(filter).boxed(),
        Profile::Production => lines.json().flatten_event(true).with_filter(filter).boxed(),
    };
    let tracer = tracer.map(|tracer| tracer.with_filter(traces::ours()));
    // A second start in one process (tests) keeps the first subscriber.
    let _ = tracing::subscriber::set_global_default(registry().with(lines).with(tracer));
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string);
        tracing::error!(panic.place = place, panic.message = fixed_text(info.payload()), "a thread panicked");
    }));
}

/// Only literals are shown: a formatted message may quote the data that caused the panic (P57).
fn fixed_text(payload: &(dyn Any + Send)) -> &'static str {
    payload.downcast_ref::<&'static str>().copied().unwrap_or("(not shown: the message may hold data)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p57_a_formatted_panic_message_is_not_shown() {
        let digits = "123-45-6789".to_owned();
        let formatted = panic::catch_unwind(|| panic!("no such number: {digits}")).unwrap_err();
        assert!(!fixed_text(&*formatted).contains("6789"));
        let literal = panic::catch_unwind(|| panic!("the writer is gone")).unwrap_err();
        assert_eq!(fixed_text(&*literal), "the writer is gone");
    }
}
