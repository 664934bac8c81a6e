//! The table.

use super::paths::Used;

/// What a module may use.
pub struct Rule {
    /// A folder or a file under `src`. A module whose children have rules of their own is meant without them.
    pub module: &'static str,
    /// Modules of this crate.
    modules: &'static [&'static str],
    /// Other crates, or paths in them. Beyond these, all may use [`COMMON`].
    crates: &'static [&'static str],
}

/// Plain data, and how it is logged and counted.
const COMMON: &[&str] =
    &["chrono", "futures", "metrics", "serde", "serde_json", "thiserror", "tracing", "uuid"];

const fn rule(
    module: &'static str,
    modules: &'static [&'static str],
    crates: &'static [&'static str],
) -> Rule {
    Rule { module, modules, crates }
}

pub const RULES: &[Rule] = &[
    rule("lib", &[], &[]),
    rule("main", &["cli"], &["anyhow", "clap", "dotenvy", "mimalloc", "tokio"]),
    // The rules, for server and browser alike: no I/O. Ids and enums are stored and documented by their derives alone.
    rule("domain", &[], &["utoipa::ToSchema", "sqlx::Type"]),
    rule("clock", &[], &[]),
    rule("config", &[], &["hex", "ipnet", "secrecy", "url"]),
    // What is counted: any module may name it.
    rule("metrics", &[], &["metrics", "metrics_exporter_prometheus"]),
    rule("error", &["domain"], &["sqlx::Error"]),
    // The only module with SQL, and nothing else.
    rule("storage", &["clock", "domain", "error"], &["hex", "sqlx", "tokio"]),
    // The services: neither HTTP nor pages nor each other's insides.
    rule(
        "notify",
        &["clock", "config", "domain", "error", "storage"],
        &["lettre", "minijinja", "secrecy", "tokio", "tokio_util", "url"],
    ),
    rule(
        "accounts",
        &["clock", "config", "domain", "error", "notify", "storage"],
        &[
            "argon2",
            "async_trait",
            "base64",
            "email_address",
            "hex",
            "moka",
            "rand",
            "sha2",
            "time",
            "tokio",
            "tower_sessions",
        ],
    ),
    rule(
        "metering",
        &["clock", "domain", "error", "metrics", "storage"],
        &["chrono_tz", "metrics", "moka", "sha2", "tokio", "tokio_stream", "tokio_util"],
    ),
    rule(
        "billing",
        &["clock", "config", "domain", "error", "storage"],
        &[
            "hex",
            "hmac",
            "miniserde",
            "secrecy",
            "sha2",
            "stripe",
            "stripe_billing",
            "stripe_core",
            "stripe_payment",
            "stripe_product",
            "stripe_shared",
            "stripe_types",
            "tokio",
            "tokio_util",
            "url",
        ],
    ),
    rule(
        "reports",
        &["clock", "domain", "error", "storage"],
        &["bytes", "chrono_tz", "csv", "rust_xlsxwriter", "tempfile", "tokio", "tokio_stream"],
    ),
    rule("groups", &["clock", "domain", "error", "storage"], &[]),
    rule("chat", &["clock", "domain", "error", "storage"], &["ammonia", "pulldown_cmark"]),
    // OpenAI's API, metered: it speaks HTTP both ways, and leaves the ledger to the metering.
    rule(
        "gateway",
        &["clock", "config", "domain", "error", "http", "metering"],
        &[
            "axum",
            "base64",
            "bytes",
            "http_body_util",
            "hyper",
            "imagesize",
            "moka",
            "multer",
            "reqwest",
            "rustls",
            "rustls_native_certs",
            "secrecy",
            "tiktoken_rs",
            "tokio",
            "tokio_stream",
            "tokio_util",
            "webpki_roots",
        ],
    ),
    rule(
        "services",
        &[
            "accounts", "billing", "chat", "clock", "config", "error", "gateway", "groups", "metering",
            "notify", "reports", "storage",
        ],
        &[],
    ),
    // What every request passes. Its user is for the accounts to say.
    rule(
        "http",
        &["accounts", "clock", "config", "domain", "error", "metrics"],
        &[
            "axum",
            "bytes",
            "http",
            "http_body_util",
            "hyper",
            "hyper_util",
            "ipnet",
            "metrics",
            "metrics_exporter_prometheus",
            "rfc7239",
            "time",
            "tokio",
            "tokio_util",
            "tower",
            "tower_http",
            "tower_sessions",
            "url",
            "utoipa",
        ],
    ),
    // REST: handlers that call a service.
    rule(
        "api",
        &[
            "accounts", "billing", "clock", "domain", "error", "groups", "http", "metering", "metrics",
            "notify", "reports", "services", "storage",
        ],
        &[
            "axum",
            "base64",
            "bytes",
            "hmac",
            "maud",
            "url",
            "chacha20poly1305",
            "hmac",
            "http",
            "http_body_util",
            "maud",
            "rand",
            "serde_path_to_error",
            "sha2",
            "tokio",
            "tokio_stream",
            "tokio_util",
            "tower_sessions",
            "url",
            "utoipa",
            "utoipa_axum",
        ],
    ),
    // The pages. What both sides are compiled for may not name what one side alone has, outside server functions' bodies.
    rule("web", &["web/client", "web/error"], &["leptos"]),
    rule("web/error", &["domain"], &["leptos"]),
    rule("web/format", &["domain"], &["leptos"]),
    rule("web/gateway", &["domain"], &[]),
    rule("web/components", &["domain", "web", "web/error", "web/format", "web/server_fns"], LEPTOS),
    rule(
        "web/islands",
        &[
            "domain",
            "web",
            "web/error",
            "web/format",
            "web/gateway",
            "web/client",
            "web/components",
            "web/server_fns",
        ],
        LEPTOS,
    ),
    rule(
        "web/client",
        &["domain", "web", "web/gateway"],
        &["console_error_panic_hook", "js_sys", "leptos", "wasm_bindgen", "wasm_bindgen_futures", "web_sys"],
    ),
    rule(
        "web/server_fns",
        &["accounts", "chat", "domain", "web", "web/error", "web/format", "web/ssr"],
        LEPTOS,
    ),
    rule(
        "web/pages",
        &[
            "accounts",
            "billing",
            "chat",
            "domain",
            "groups",
            "metering",
            "notify",
            "reports",
            "web",
            "web/error",
            "web/format",
            "web/components",
            "web/islands",
            "web/server_fns",
            "web/ssr",
        ],
        LEPTOS,
    ),
    rule(
        "web/ssr",
        &[
            "accounts",
            "config",
            "domain",
            "error",
            "http",
            "services",
            "web",
            "web/error",
            "web/format",
            "web/components",
            "web/pages",
        ],
        &[
            "axum",
            "base64",
            "bytes",
            "hex",
            "http",
            "http_body_util",
            "leptos",
            "leptos_axum",
            "leptos_meta",
            "leptos_router",
            "rand",
            "rust_embed",
            "sha2",
            "time",
            "tower",
            "tower_http",
            "tower_sessions",
            "url",
        ],
    ),
    // The composition root and the command line.
    rule(
        "router",
        &["accounts", "api", "gateway", "http", "services"],
        &["axum", "http", "tokio_util", "tower", "tower_http", "tower_sessions"],
    ),
    rule(
        "jobs",
        &["billing", "clock", "error", "metering", "metrics", "notify", "services", "storage"],
        &["tokio", "tokio_util"],
    ),
    rule(
        "stop",
        &["gateway", "http", "jobs", "metering", "services", "storage"],
        &["stripe_sandbox", "tokio", "tokio_util"],
    ),
    rule(
        "start",
        &[
            "billing", "clock", "config", "demo", "gateway", "http", "jobs", "metrics", "router", "services",
            "stop", "storage", "web/ssr",
        ],
        &[
            "anyhow",
            "demo_model",
            "hex",
            "rand",
            "rlimit",
            "secrecy",
            "stripe_sandbox",
            "tokio",
            "tokio_util",
            "url",
        ],
    ),
    rule(
        "demo",
        &["accounts", "billing", "clock", "config", "domain", "error", "metering", "services", "storage"],
        &["anyhow", "tokio"],
    ),
    rule(
        "cli",
        &[
            "accounts", "billing", "clock", "config", "domain", "error", "http", "metrics", "notify",
            "services", "start", "stop", "storage",
        ],
        &[
            "anyhow",
            "clap",
            "dotenvy",
            "hex",
            "rand",
            "rustls",
            "secrecy",
            "stripe_sandbox",
            "tokio",
            "tokio_util",
            "tracing_subscriber",
            "url",
        ],
    ),
];

const LEPTOS: &[&str] = &["leptos", "leptos_meta", "leptos_router"];

impl Rule {
    /// The rule that a file falls under.
    pub fn of_file(module: &[String]) -> Option<&'static Self> {
        let path = module.join("/");
        RULES.iter().find(|rule| {
            let below = path.strip_prefix(rule.module).is_some_and(|rest| rest.starts_with('/'));
            path == rule.module || (below && !rule.has_children())
        })
    }

    /// Whether other rules are about its children.
    fn has_children(&self) -> bool {
        RULES
            .iter()
            .any(|other| other.module.strip_prefix(self.module).is_some_and(|rest| rest.starts_with('/')))
    }

    pub fn allows(&self, used: &Used) -> bool {
        match used {
            Used::Own(path) => self.allows_module(path),
            Used::External(path) => {
                let path = path.join("::");
                COMMON.iter().chain(self.crates).any(|allowed| {
                    let rest = path.strip_prefix(allowed);
                    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
                })
            }
        }
    }

    fn allows_module(&self, path: &[String]) -> bool {
        // The module is the longest beginning of the path that has a rule: what follows are its items.
        let owner = (1..=path.len()).rev().find_map(|end| Self::of_file(&path[..end]));
        owner.is_none_or(|owner| owner.module == self.module || self.modules.contains(&owner.module))
    }
}
