//! An invoice or a credit note as a PDF.

mod metrics;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use pdf_writer::{Content, Name, Pdf, Rect, Ref, Str, TextStr};

use self::metrics::{encoded, width, wrapped};
use super::document::{Document, Line};

/// US Letter, in points.
const PAGE: (f32, f32) = (612.0, 792.0);
const MARGIN: f32 = 48.0;
const RIGHT: f32 = PAGE.0 - MARGIN;
/// Where text ends at the bottom; below it stands the page's number.
const BOTTOM: f32 = 72.0;
/// The right edges of the columns for quantity and unit price, and the width of that for descriptions.
const COLUMNS: (f32, f32, f32) = (370.0, 460.0, 270.0);
const SIZE: f32 = 9.5;
const LEADING: f32 = 13.0;
const GREY: f32 = 0.4;

/// Puts text on pages, from the top down.
struct Sheet {
    pages: Vec<Content>,
    /// The baseline of what is written next.
    y: f32,
}

#[derive(Clone, Copy)]
enum At {
    Left(f32),
    Right(f32),
}

impl Sheet {
    fn new() -> Self {
        let mut sheet = Self { pages: Vec::new(), y: 0.0 };
        sheet.next_page();
        sheet
    }

    fn next_page(&mut self) {
        self.pages.push(Content::new());
        self.y = PAGE.1 - MARGIN - 12.0;
    }

    /// Goes on to the next page if there is no room for so many points.
    fn need(&mut self, height: f32) -> bool {
        let full = self.y - height < BOTTOM;
        if full {
            self.next_page();
        }
        full
    }

    fn write(&mut self, text: &str, at: At, bold: bool, size: f32, grey: f32) {
        let y = self.y;
        if let Some(page) = self.pages.last_mut() {
            put(page, text, at, y, bold, size, grey);
        }
    }

    fn rule(&mut self, from: f32) {
        let y = self.y + LEADING - 3.0;
        if let Some(page) = self.pages.last_mut() {
            page.set_stroke_gray(0.8).set_line_width(0.6).move_to(from, y).line_to(RIGHT, y).stroke();
        }
    }

    fn down(&mut self, by: f32) {
        self.y -= by;
    }
}

fn put(page: &mut Content, text: &str, at: At, y: f32, bold: bool, size: f32, grey: f32) {
    let x = match at {
        At::Left(x) => x,
        At::Right(x) => x - width(text, bold, size),
    };
    page.set_fill_gray(grey);
    page.begin_text().set_font(Name(if bold { b"B" } else { b"R" }), size);
    page.next_line(x, y).show(Str(&encoded(text))).end_text();
}

/// The file, to be saved.
pub(super) fn download(document: &Document) -> Response {
    let kept = |char: &char| char.is_ascii_alphanumeric() || *char == '-';
    let name = [document.title, " ", &document.number].concat().replace(' ', "-");
    let name: String = name.chars().filter(kept).collect();
    let headers = [
        (header::CONTENT_TYPE, "application/pdf".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}.pdf\"")),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (headers, of(document)).into_response()
}

/// The file.
fn of(document: &Document) -> Vec<u8> {
    let mut sheet = Sheet::new();
    head(&mut sheet, document);
    column_names(&mut sheet);
    for line in &document.lines {
        item(&mut sheet, line);
    }
    totals(&mut sheet, document);
    for text in [&document.memo, &document.footer].into_iter().flatten() {
        sheet.down(LEADING);
        paragraph(&mut sheet, text, MARGIN, RIGHT - MARGIN, GREY);
    }
    written(document, sheet.pages)
}

fn head(sheet: &mut Sheet, document: &Document) {
    sheet.write(document.title, At::Left(MARGIN), true, 20.0, 0.0);
    sheet.write("Stripe sandbox: no real money", At::Right(RIGHT), false, SIZE, GREY);
    sheet.down(30.0);
    let number = (format!("{} number", document.title), document.number.clone());
    for (name, value) in std::iter::once(&number).chain(&document.facts) {
        sheet.need(LEADING);
        sheet.write(name, At::Left(MARGIN), false, SIZE, GREY);
        paragraph(sheet, value, MARGIN + 110.0, 300.0, 0.0);
    }
    sheet.down(LEADING);
    let top = sheet.y;
    let half = (PAGE.0 - 2.0 * MARGIN) / 2.0;
    let mut lowest = top;
    for (at, title, lines) in [(MARGIN, "From", &document.from), (MARGIN + half, "Bill to", &document.to)] {
        sheet.y = top;
        sheet.write(title, At::Left(at), true, SIZE, 0.0);
        sheet.down(LEADING);
        for line in lines {
            paragraph(sheet, line, at, half - 20.0, 0.0);
        }
        lowest = lowest.min(sheet.y);
    }
    sheet.y = lowest - LEADING - 8.0;
    sheet.write(&document.heading, At::Left(MARGIN), true, 14.0, 0.0);
    sheet.down(30.0);
}

/// Text over as many lines as it takes, and the next line below it.
fn paragraph(sheet: &mut Sheet, text: &str, x: f32, max: f32, grey: f32) {
    for line in wrapped(text, false, SIZE, max) {
        sheet.need(LEADING);
        sheet.write(&line, At::Left(x), false, SIZE, grey);
        sheet.down(LEADING);
    }
}

fn column_names(sheet: &mut Sheet) {
    let (quantity, unit, _) = COLUMNS;
    sheet.write("Description", At::Left(MARGIN), false, SIZE, GREY);
    sheet.write("Qty", At::Right(quantity), false, SIZE, GREY);
    sheet.write("Unit price", At::Right(unit), false, SIZE, GREY);
    sheet.write("Amount", At::Right(RIGHT), false, SIZE, GREY);
    sheet.down(LEADING + 6.0);
    sheet.rule(MARGIN);
}

fn item(sheet: &mut Sheet, line: &Line) {
    let (quantity, unit, room) = COLUMNS;
    let description = wrapped(&line.description, false, SIZE, room);
    let rows = description.len() + usize::from(line.period.is_some());
    // Longer than this, it may be broken.
    if sheet.need(LEADING * f32::from(u16::try_from(rows.min(12)).unwrap_or(12))) {
        column_names(sheet);
    }
    for (text, right) in [(&line.quantity, quantity), (&line.unit, unit), (&line.amount, RIGHT)] {
        sheet.write(text, At::Right(right), false, SIZE, 0.0);
    }
    for text in &description {
        sheet.need(LEADING);
        sheet.write(text, At::Left(MARGIN), false, SIZE, 0.0);
        sheet.down(LEADING);
    }
    if let Some(period) = &line.period {
        sheet.write(period, At::Left(MARGIN), false, SIZE, GREY);
        sheet.down(LEADING);
    }
    sheet.down(6.0);
}

fn totals(sheet: &mut Sheet, document: &Document) {
    const LEFT: f32 = 330.0;
    let rows = f32::from(u16::try_from(document.totals.len()).unwrap_or(u16::MAX));
    sheet.need(rows * (LEADING + 6.0));
    for (index, (name, amount)) in document.totals.iter().enumerate() {
        let last = index + 1 == document.totals.len();
        sheet.rule(LEFT);
        sheet.down(4.0);
        sheet.write(name, At::Left(LEFT), last, SIZE, 0.0);
        sheet.write(amount, At::Right(RIGHT), last, SIZE, 0.0);
        sheet.down(LEADING + 3.0);
    }
}

/// The pages with their numbers, as a file.
fn written(document: &Document, pages: Vec<Content>) -> Vec<u8> {
    let mut next = 1;
    let mut new = || {
        next += 1;
        Ref::new(next - 1)
    };
    let (catalog, tree, regular, bold, info) = (new(), new(), new(), new(), new());
    let ids: Vec<(Ref, Ref)> = pages.iter().map(|_| (new(), new())).collect();
    let mut pdf = Pdf::new();
    pdf.catalog(catalog).pages(tree);
    pdf.document_info(info)
        .title(TextStr(&format!("{} {}", document.title, document.number)))
        .producer(TextStr("Stripe sandbox"));
    let count = pages.len();
    pdf.pages(tree).kids(ids.iter().map(|(page, _)| *page)).count(i32::try_from(count).unwrap_or(i32::MAX));
    for (font, name) in [(regular, &b"Helvetica"[..]), (bold, b"Helvetica-Bold")] {
        pdf.type1_font(font).base_font(Name(name)).encoding_predefined(Name(b"WinAnsiEncoding"));
    }
    for (index, (mut content, (page, stream))) in pages.into_iter().zip(ids).enumerate() {
        let below = BOTTOM - 28.0;
        put(&mut content, &document.number, At::Left(MARGIN), below, false, 8.0, GREY);
        let number = format!("Page {} of {count}", index + 1);
        put(&mut content, &number, At::Right(RIGHT), below, false, 8.0, GREY);
        let mut writer = pdf.page(page);
        writer.media_box(Rect::new(0.0, 0.0, PAGE.0, PAGE.1)).parent(tree).contents(stream);
        writer.resources().fonts().pair(Name(b"R"), regular).pair(Name(b"B"), bold);
        drop(writer);
        pdf.stream(stream, &content.finish());
    }
    pdf.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(lines: usize) -> Document {
        let line = |index: usize| Line {
            description: format!(
                "{index} × A plan whose name is so long that it takes more than one line of the table"
            ),
            period: Some("31 Jan 2026 – 28 Feb 2026".to_owned()),
            quantity: "1".to_owned(),
            unit: "€29.99".to_owned(),
            amount: "€29.99".to_owned(),
        };
        Document {
            title: "Invoice",
            heading: "€29.99 due".to_owned(),
            number: "ABCD-0001".to_owned(),
            facts: vec![("Date of issue".to_owned(), "31 Jan 2026".to_owned())],
            from: vec!["Stripe sandbox".to_owned()],
            to: vec!["x".repeat(300)],
            lines: (0..lines).map(line).collect(),
            totals: vec![("Amount due".to_owned(), "€29.99".to_owned())],
            due: "€29.99".to_owned(),
            total: "€29.99".to_owned(),
            memo: Some("Thank you (really)".to_owned()),
            footer: None,
        }
    }

    fn count(file: &[u8], wanted: &[u8]) -> usize {
        file.windows(wanted.len()).filter(|part| *part == wanted).count()
    }

    #[test]
    fn one_line_is_a_page_and_many_are_several() {
        let one = of(&document(1));
        assert!(one.starts_with(b"%PDF-1."));
        assert!(one.ends_with(b"%%EOF"));
        assert_eq!(count(&one, b"/Type /Page\n"), 1);
        assert_eq!(count(&one, b"Page 1 of 1"), 1);
        let many = of(&document(60));
        assert!(count(&many, b"/Type /Page\n") > 2);
        assert_eq!(count(&many, b"(Description)"), count(&many, b"/Type /Page\n"));
        // The brackets of a text don't end it.
        assert_eq!(count(&one, b"(Thank you (really))"), 1);
    }
}
