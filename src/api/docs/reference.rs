//! The reference: every operation by its tag, then every schema.

use maud::{Markup, html};
use serde_json::Value;

use super::layout::{self, inline, prose};
use super::schemas;
use crate::http::problem::types;

const NONE: &[Value] = &[];

/// One operation of the document.
struct Operation<'a> {
    method: &'a str,
    path: &'a str,
    said: &'a Value,
}

impl Operation<'_> {
    fn id(&self) -> &str {
        text(&self.said["operationId"])
    }
}

pub fn page(document: &Value) -> Markup {
    let operations = operations(document);
    let tags: Vec<_> = list(&document["tags"])
        .iter()
        .map(|tag| {
            let of_tag = |operation: &&Operation<'_>| operation.said["tags"][0] == tag["name"];
            (tag, operations.iter().filter(of_tag).collect::<Vec<_>>())
        })
        .collect();
    let contents = html! {
        @for (tag, operations) in &tags {
            p { (text(&tag["name"])) }
            ul {
                @for operation in operations {
                    li { a href={ "#" (operation.id()) } { (text(&operation.said["summary"])) } }
                }
            }
        }
        p { a href="#schemas" { "Schemas" } }
    };
    let main = html! {
        (prose(text(&document["info"]["description"])))
        @for (tag, operations) in &tags {
            h2 { (text(&tag["name"])) }
            (prose(text(&tag["description"])))
            @for operation in operations { (self::operation(operation)) }
        }
        h2 #schemas { "Schemas" }
        (schemas::all(&document["components"]["schemas"]))
    };
    layout::page("API reference", &contents, &main)
}

fn operations(document: &Value) -> Vec<Operation<'_>> {
    let paths = document["paths"].as_object().into_iter().flatten();
    paths
        .flat_map(|(path, item)| {
            let methods = item.as_object().into_iter().flatten();
            methods.map(move |(method, said)| Operation { method, path, said })
        })
        .collect()
}

fn operation(operation: &Operation<'_>) -> Markup {
    let Operation { method, path, said } = operation;
    let parameters = list(&said["parameters"]);
    let body = &said["requestBody"]["content"]["application/json"]["schema"];
    html! {
        section id=(operation.id()) aria-labelledby={ (operation.id()) "-title" } {
            h3 id={ (operation.id()) "-title" } { (text(&said["summary"])) }
            p.route { span.method { (method.to_uppercase()) } " " code { (path) } }
            (prose(text(&said["description"])))
            @if !parameters.is_empty() {
                table {
                    caption { "Parameters" }
                    thead { tr { th scope="col" { "Name" } th scope="col" { "Type" } th scope="col" { "Meaning" } } }
                    tbody {
                        @for parameter in parameters {
                            tr {
                                th scope="row" { code { (text(&parameter["name"])) } }
                                td { (schemas::kind(&parameter["schema"])) " in the " (text(&parameter["in"])) }
                                td { (inline(text(&parameter["description"]))) }
                            }
                        }
                    }
                }
            }
            @if !body.is_null() { p { "Body: " (schemas::kind(body)) } }
            table {
                caption { "Answers" }
                thead { tr { th scope="col" { "Status" } th scope="col" { "Body" } th scope="col" { "When" } } }
                tbody {
                    @for (status, answer) in said["responses"].as_object().into_iter().flatten() {
                        tr {
                            th scope="row" { span.status { (status) } }
                            td { (answer_body(answer)) }
                            td { (explained(text(&answer["description"]))) }
                        }
                    }
                }
            }
        }
    }
}

/// As [`inline`], but that the code of an error leads to what the page of errors says of it.
fn explained(text: &str) -> Markup {
    html! {
        @for (index, part) in text.split('`').enumerate() {
            @if index % 2 == 0 { (part) }
            @else if types::ALL.iter().any(|kind| kind.code == part) {
                a href={ (types::PAGE) "#" (part) } { code { (part) } }
            } @else { code { (part) } }
        }
    }
}

fn answer_body(answer: &Value) -> Markup {
    html! {
        @for (kind, content) in answer["content"].as_object().into_iter().flatten() {
            @if kind.contains("json") { (schemas::kind(&content["schema"])) } @else { code { (kind) } }
        }
    }
}

pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

pub(super) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(NONE, Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_and_schema_has_its_place_and_every_link_leads_to_one() {
        let document = crate::api::openapi::finished(&crate::api::operations().into_openapi());
        let page = page(&document).into_string();
        for operation in operations(&document) {
            assert!(page.contains(&format!("<section id=\"{}\"", operation.id())), "{}", operation.id());
        }
        let mut links = 0;
        for link in page.split("href=\"#").skip(1) {
            let place = link.split('"').next().unwrap();
            assert!(page.contains(&format!("id=\"{place}\"")), "{place}");
            links += 1;
        }
        assert!(links > 50);
    }

    #[test]
    fn the_reference_begins_with_metering() {
        let document = crate::api::openapi::finished(&crate::api::operations().into_openapi());
        let page = page(&document).into_string();
        let first = page.split("<h2>").nth(1).unwrap();
        assert!(first.starts_with("Usage"), "{}", &first[..40]);
    }

    #[test]
    fn every_error_that_an_operation_names_is_explained() {
        let document = crate::api::openapi::finished(&crate::api::operations().into_openapi());
        let (reference, errors) = (page(&document).into_string(), super::super::errors::page().into_string());
        let mut links = 0;
        for link in reference.split(&format!("href=\"{}#", types::PAGE)).skip(1) {
            let code = link.split('"').next().unwrap();
            assert!(errors.contains(&format!("<section id=\"{code}\"")), "{code}");
            links += 1;
        }
        assert!(links > 50);
        // Each answer of an error names at least one.
        for Operation { method, path, said } in operations(&document) {
            for (status, answer) in said["responses"].as_object().unwrap() {
                if status.starts_with('4') {
                    let named = explained(text(&answer["description"])).into_string().contains("<a ");
                    assert!(named, "{method} {path} {status}");
                }
            }
        }
    }
}
