//! Says that no money moves, where the Stripe sandbox takes the payments.

use leptos::prelude::*;

#[component]
pub fn SandboxStrip(
    /// Address of the sandbox's panel.
    panel: String,
) -> impl IntoView {
    let (clocks, address) = (format!("{panel}panel/test_clocks"), panel.clone());
    view! {
        <footer class="sandbox">
            <p>
                <strong>"Demo."</strong>
                " Payments go to the built-in Stripe sandbox: no money moves, and only Stripe's test cards work. "
                <a href=panel>"Its panel at " {address}</a>
                " shows what it has; "
                <a href=clocks>"its clocks"</a>
                " bring on the next renewal."
            </p>
        </footer>
    }
}
