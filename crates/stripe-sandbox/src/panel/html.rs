//! Markup that cannot be forgotten to be escaped: in [`html!`] a literal is markup, and everything else is
//! a value that gets escaped on its way in.

use axum::response::{IntoResponse, Response};

/// Finished markup. Made by [`html!`] only, so whatever is in it has been escaped already.
#[derive(Clone, Debug, Default)]
pub(crate) struct Html(String);

impl Html {
    pub(crate) fn from_parts(markup: String) -> Self {
        Self(markup)
    }
}

impl IntoResponse for Html {
    fn into_response(self) -> Response {
        axum::response::Html(self.0).into_response()
    }
}

/// A value that can stand in markup, in text as well as in a quoted attribute.
pub(crate) trait Render {
    fn render(&self, out: &mut String);
}

impl Render for str {
    fn render(&self, out: &mut String) {
        for character in self.chars() {
            match character {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '"' => out.push_str("&quot;"),
                '\'' => out.push_str("&#39;"),
                other => out.push(other),
            }
        }
    }
}

impl Render for String {
    fn render(&self, out: &mut String) {
        self.as_str().render(out);
    }
}

impl Render for Html {
    fn render(&self, out: &mut String) {
        out.push_str(&self.0);
    }
}

impl<T: Render + ?Sized> Render for &T {
    fn render(&self, out: &mut String) {
        (**self).render(out);
    }
}

impl<T: Render> Render for Option<T> {
    fn render(&self, out: &mut String) {
        if let Some(value) = self {
            value.render(out);
        }
    }
}

impl<T: Render> Render for Vec<T> {
    fn render(&self, out: &mut String) {
        for value in self {
            value.render(out);
        }
    }
}

macro_rules! render_numbers {
    ($($number:ty),*) => {$(
        impl Render for $number {
            fn render(&self, out: &mut String) {
                out.push_str(&self.to_string());
            }
        }
    )*};
}
render_numbers!(i64, u16, u32, usize);

/// `html!("<p title=\"", title, "\">", text, "</p>")`: literals are markup, all else is escaped.
macro_rules! html {
    ($($parts:tt)*) => {{
        let mut out = String::new();
        $crate::panel::html::html_parts!(out; $($parts)*);
        $crate::panel::html::Html::from_parts(out)
    }};
}

macro_rules! html_parts {
    ($out:ident;) => {};
    ($out:ident; $markup:literal $(, $($rest:tt)*)?) => {
        $out.push_str($markup);
        $($crate::panel::html::html_parts!($out; $($rest)*);)?
    };
    ($out:ident; $value:expr $(, $($rest:tt)*)?) => {
        $crate::panel::html::Render::render(&$value, &mut $out);
        $($crate::panel::html::html_parts!($out; $($rest)*);)?
    };
}

pub(crate) use {html, html_parts};

#[cfg(test)]
mod tests {
    use super::*;

    fn text(html: Html) -> String {
        html.0
    }

    #[test]
    fn values_are_escaped_for_text_and_attributes() {
        let hostile = "\"><script>alert('1')</script>&";
        assert_eq!(
            text(html!("<p title=\"", hostile, "\">", hostile, "</p>")),
            "<p title=\"&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;\">\
             &quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;</p>"
        );
    }

    #[test]
    fn markup_inside_markup_is_not_escaped_twice() {
        let inner = html!("<b>", "a < b".to_owned(), "</b>");
        assert_eq!(text(html!("<p>", inner, Some(7_i64), None::<String>, "</p>")), "<p><b>a &lt; b</b>7</p>");
    }

    #[test]
    fn lists_are_joined() {
        let items: Vec<Html> = ["<", "b"].iter().map(|item| html!("<li>", item, "</li>")).collect();
        assert_eq!(text(html!(items)), "<li>&lt;</li><li>b</li>");
    }
}
