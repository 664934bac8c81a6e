//! How a program is connected, in snippets that run as they are.

use leptos::prelude::*;

/// Stand in the snippets for the server's address and the key.
const ADDRESS: &str = "http://127.0.0.1:3000";
const KEY: &str = "YOUR_KEY";

/// The languages, by their value in the form and their name.
const LANGUAGES: [(&str, &str); 3] = [("curl", "curl"), ("python", "Python"), ("node", "Node")];

/// One way to have a program's tokens counted, in each of the [`LANGUAGES`].
struct Way {
    title: &'static str,
    text: &'static str,
    snippets: [&'static str; 3],
}

const WAYS: [Way; 3] = [
    Way {
        title: "Call the model through the gateway",
        text: "A program that speaks OpenAI's API needs another base URL and key, and nothing else. Its tokens are \
               counted by themselves, and its limits hold before a request is made.",
        snippets: [include_str!("gateway.sh"), include_str!("gateway.py"), include_str!("gateway.mjs")],
    },
    Way {
        title: "Report what was spent",
        text: "For models that you call yourself. The id is your own: sending an event again changes nothing.",
        snippets: [include_str!("report.sh"), include_str!("report.py"), include_str!("report.mjs")],
    },
    Way {
        title: "Ask first",
        text: "Reserve the tokens before the call and settle what it took, so that no two calls spend the last ones.",
        snippets: [include_str!("hold.sh"), include_str!("hold.py"), include_str!("hold.mjs")],
    },
];

fn fill(snippet: &str, base: &str, key: &str) -> String {
    snippet.trim_end().replace(ADDRESS, base.trim_end_matches('/')).replace(KEY, key)
}

#[component]
pub fn Connect(
    /// The server's address, as programs reach it.
    base: String,
    /// Filled into the snippets; a word in its place where there is none to show.
    #[prop(default = None)]
    key: Option<String>,
    /// What the snippets need, and whether anything has come.
    children: Children,
) -> impl IntoView {
    let key = key.unwrap_or_else(|| KEY.to_owned());
    let choices = LANGUAGES.iter().enumerate().map(|(at, (value, _))| {
        let id = format!("connect-{value}");
        view! { <input class="unseen" type="radio" name="connect" id=id value=*value checked=at == 0/> }
    });
    let labels =
        LANGUAGES.map(|(value, label)| view! { <label for=format!("connect-{value}")>{label}</label> });
    let ways = WAYS.iter().map(|way| {
        let snippets = way.snippets.iter().zip(LANGUAGES).map(|(snippet, (value, label))| {
            view! {
                <figure class="code" data-language=value>
                    <figcaption>
                        {label}
                        <button type="button" data-copy="" aria-label=format!("Copy: {}, {label}", way.title)>"Copy"</button>
                    </figcaption>
                    <pre tabindex="0"><code>{fill(snippet, &base, &key)}</code></pre>
                </figure>
            }
        });
        view! {
            <section class="connect__way">
                <h3>{way.title}</h3>
                <p>{way.text}</p>
                {snippets.collect_view()}
            </section>
        }
    });
    view! {
        <section class="panel connect" id="connect">
            <h2>"Connect a program"</h2>
            {children()}
            // What is chosen shows by style alone: the choices stand before what they choose among.
            <fieldset>
                <legend class="unseen">"Language"</legend>
                {choices.collect_view()}
                <div class="connect__languages">{labels.collect_view()}</div>
                {ways.collect_view()}
            </fieldset>
            <p class="connect__more">
                <a href="/api/docs/">"The whole API"</a>
            </p>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_snippet_takes_the_address_and_the_key() {
        for snippet in WAYS.iter().flat_map(|way| way.snippets) {
            let filled = fill(snippet, "https://tollgate.example/", "tg_1");
            assert!(filled.contains("https://tollgate.example/") && filled.contains("tg_1"), "{filled}");
            assert!(
                !filled.contains(KEY) && !filled.contains(ADDRESS) && !filled.contains("example//"),
                "{filled}"
            );
        }
    }
}
