//! Runs one check on every case and stream, and says of all which failed.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

use crate::cases::{Breadth, Case, cases};
use crate::streams::{Stream, everyday, hard, short};

thread_local! {
    /// Whether a panic in this thread is caught and reported here.
    static CAUGHT: Cell<bool> = const { Cell::new(false) };
}

pub fn on_all(check: impl Fn(&Case, &Stream)) {
    let mut failures = vec![];
    for case in cases() {
        let streams = match case.breadth {
            Breadth::Full => std::iter::once(everyday(case.task)).chain(hard(case.task)).collect(),
            Breadth::Everyday => vec![everyday(case.task)],
            Breadth::Short => vec![short(case.task)],
        };
        for stream in streams {
            if let Err(message) = caught(|| check(&case, &stream)) {
                failures.push(format!("{} on {:?}: {message}", case.name(), stream.name));
            }
        }
    }
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}

/// What `check` panicked with, and where.
fn caught(check: impl FnOnce()) -> Result<(), String> {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = take_hook();
        set_hook(Box::new(move |info| {
            if CAUGHT.get() {
                eprintln!("caught at {}", info.location().map_or("?".into(), ToString::to_string));
            } else {
                usual(info);
            }
        }));
    });
    CAUGHT.set(true);
    let result = catch_unwind(AssertUnwindSafe(check));
    CAUGHT.set(false);
    result.map_err(|payload| match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => payload.downcast::<&str>().map_or("?".into(), |text| (*text).to_owned()),
    })
}
