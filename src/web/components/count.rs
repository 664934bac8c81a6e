//! A count that may be wider than its place.

use leptos::prelude::*;

/// `text` as it is, but that a line may end after each of its commas, where thousands are set apart.
pub fn count(text: String) -> impl IntoView {
    let parts: Vec<_> = text.split_inclusive(',').map(str::to_owned).collect();
    parts.into_iter().map(|part| view! { {part}<wbr/> }).collect_view()
}
