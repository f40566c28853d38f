//! A bar for long work; only on a terminal.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar on standard error that counts `total` of something (without a total, it counts up). Hidden off a terminal.
pub fn bar(total: Option<u64>, of: &'static str) -> ProgressBar {
    let bar = total.map_or_else(ProgressBar::no_length, ProgressBar::new);
    let template = "{elapsed_precise} {wide_bar} {human_pos}/{human_len} {msg} ({per_sec}, {eta} left)";
    let style = ProgressStyle::with_template(template).expect("the template names known fields");
    bar.with_style(style).with_message(of)
}
