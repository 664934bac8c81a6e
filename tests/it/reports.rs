//! Reports: the ledger as files, each with its total, however it is broken down and whatever is recorded meanwhile.

use calamine::{Data, Reader, Xlsx};
use chrono::Duration;
use futures::StreamExt;
use serde_json::{Value, json};
use std::io::Cursor;
use tollgate::clock::Clock;
use tollgate::domain::{Details, EventInput, ReportBy, ReportFormat, UsageType, User};
use tollgate::error::Result;
use tollgate::metering::Metering;
use tollgate::reports::{Report, ReportFields, Reports};

use crate::support::app::{App, unique};
use crate::support::databases::{each_database, each_store};
use crate::support::seed::{Seed, at, event};

const USAGE: &str = "/api/reports/usage/";
/// What spreadsheets would run.
const FORMULA: &str = "=HYPERLINK(\"http://evil.test\",\"x\")";

/// A report read back: its columns, and its cells as text.
#[derive(Debug)]
pub struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn read(format: ReportFormat, file: &[u8]) -> Self {
        match format {
            ReportFormat::Csv => {
                let mut reader = csv::Reader::from_reader(file);
                let columns = reader.headers().expect("a heading").iter().map(str::to_owned).collect();
                let row = |row: csv::Result<csv::StringRecord>| {
                    row.expect("as many cells as columns").iter().map(str::to_owned).collect()
                };
                Self { columns, rows: reader.records().map(row).collect() }
            }
            ReportFormat::Jsonl => {
                let text = std::str::from_utf8(file).expect("UTF-8");
                let objects: Vec<serde_json::Map<String, Value>> =
                    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
                let cell = |value: &Value| match value {
                    Value::Null => String::new(),
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                let first = text.lines().next().expect("a line");
                let mut columns: Vec<String> = objects[0].keys().cloned().collect();
                columns.sort_by_key(|column| first.find(&format!("\"{column}\":")));
                let row = |object: &serde_json::Map<String, Value>| {
                    columns.iter().map(|column| cell(&object[column])).collect()
                };
                Self { rows: objects.iter().map(row).collect(), columns: columns.clone() }
            }
            ReportFormat::Xlsx => {
                let mut book: Xlsx<_> = Xlsx::new(Cursor::new(file.to_vec())).expect("a spreadsheet");
                let sheet = book.worksheet_range_at(0).expect("a sheet").expect("its cells");
                let cell = |cell: &Data| match cell {
                    Data::Empty => String::new(),
                    Data::Float(number) => number.to_string(),
                    other => other.to_string(),
                };
                let mut rows = sheet.rows().map(|row| row.iter().map(cell).collect::<Vec<_>>());
                let columns = rows.next().expect("a heading");
                let width = columns.len();
                let padded = |mut row: Vec<String>| {
                    row.resize(width, String::new());
                    row
                };
                Self { columns, rows: rows.map(padded).collect() }
            }
        }
    }

    fn at(&self, column: &str) -> usize {
        let found = self.columns.iter().position(|name| name == column);
        found.unwrap_or_else(|| panic!("no {column} in {:?}", self.columns))
    }

    /// A column without the total.
    pub fn column(&self, column: &str) -> Vec<&str> {
        let at = self.at(column);
        self.rows[..self.rows.len() - 1].iter().map(|row| row[at].as_str()).collect()
    }

    pub fn sum(&self, column: &str) -> i64 {
        let cells = self.column(column).into_iter().filter(|cell| !cell.is_empty());
        cells.map(|cell| cell.parse::<i64>().unwrap_or_else(|_| panic!("{column}: {cell}"))).sum()
    }

    /// What the last row says, which has to be the total.
    pub fn total(&self, column: &str) -> i64 {
        let last = self.rows.last().expect("a last row");
        assert_eq!(last[0], "total", "the last row of {:?}", self.columns);
        last[self.at(column)].parse().unwrap_or_else(|_| panic!("{column}: {last:?}"))
    }
}

async fn file(report: Report) -> Vec<u8> {
    let pieces: Vec<_> = report.body.map(|piece| piece.expect("a piece")).collect().await;
    pieces.concat()
}

fn fields(pairs: &[(&str, &str)]) -> ReportFields {
    let of = |name: &str| pairs.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned());
    ReportFields {
        format: of("format"),
        by: of("by"),
        from: of("from"),
        to: of("to"),
        tz: of("tz"),
        group_id: of("group_id"),
    }
}

async fn usage(reports: &Reports, user: &User, pairs: &[(&str, &str)]) -> Result<Table> {
    let query = fields(pairs).usage()?;
    let report = reports.usage(user, query.clone()).await?;
    Ok(Table::read(query.format, &file(report).await))
}

/// Events of two periods, members and models, at odd times.
async fn spend(seed: &Seed, metering: &Metering) {
    let now = seed.clock.now();
    let details = Details { input: 3, cached_input: 4, ..Details::default() };
    let events = (0..60).map(|number: i64| {
        let usage_type = if number % 3 == 0 { UsageType::Voice } else { UsageType::Llm };
        EventInput {
            created_at: Some(now - Duration::minutes(number * 97) - Duration::microseconds(number * 7)),
            model: [None, Some("large".to_owned()), Some(FORMULA.to_owned())][number as usize % 3].clone(),
            user_id: Some(if number % 2 == 0 { seed.admin.id } else { seed.member.id }),
            details: (number == 7).then_some(details),
            ..event(&format!("-{number}"), usage_type, if number == 7 { 7 } else { number + 1 })
        }
    });
    metering.record(&seed.admin, events.collect()).await.expect("events");
    seed.renew().await;
    metering.record(&seed.member, vec![event("@late", UsageType::Llm, 1_000)]).await.expect("an event");
}

#[tokio::test]
async fn every_breakdown_of_a_window_adds_up_to_the_same_total_in_every_format() {
    each_store(|store| async move {
        let seed = Seed::new(&store).await;
        let metering = seed.metering();
        spend(&seed, &metering).await;
        // Another group's are none of this one's.
        let other = Seed::with_clock(&store, seed.clock.clone()).await;
        let others = other.metering();
        others.record(&other.admin, vec![event("other", UsageType::Llm, 5)]).await.expect("an event");
        let reports = Reports::new(store.clone());
        let windows = [
            ("", ""),
            ("2026-03-09", "2026-03-11"),
            // Begins and ends amid a quarter of an hour, at an event to the microsecond.
            ("2026-03-09T22:55:59.999977Z", "2026-03-11T10:22:59.999993Z"),
            ("2026-03-11T11:58:00Z", "2026-03-11T12:01:00Z"),
        ];
        for (from, to) in windows {
            let events = usage(&reports, &seed.admin, &[("by", "event"), ("from", from), ("to", to)])
                .await
                .expect("a report");
            let of_type = |kind: &str| -> i64 {
                let pairs = events.column("usage_type").into_iter().zip(events.column("tokens"));
                pairs
                    .filter(|(found, _)| *found == kind)
                    .map(|(_, tokens)| tokens.parse::<i64>().expect("tokens"))
                    .sum()
            };
            let ledger = [of_type("llm"), of_type("voice"), events.column("id").len() as i64];
            assert!(ledger[2] > 0, "{from} {to}");
            for format in ReportFormat::ALL {
                for by in ReportBy::ALL {
                    let asked =
                        [("format", format.as_str()), ("by", by.as_str()), ("from", from), ("to", to)];
                    let table = usage(&reports, &seed.admin, &asked).await.expect("a report");
                    if by == ReportBy::Event {
                        assert_eq!(table.total("tokens"), ledger[0] + ledger[1], "{asked:?}");
                        for column in ["tokens", "input", "cached_input", "output"] {
                            assert_eq!(table.sum(column), table.total(column), "{column} {asked:?}");
                        }
                        continue;
                    }
                    assert_eq!(table.columns, ["key", "label", "llm", "voice", "events"]);
                    for (column, expected) in ["llm", "voice", "events"].into_iter().zip(ledger) {
                        let found = (table.sum(column), table.total(column));
                        assert_eq!(found, (expected, expected), "{column} {asked:?}");
                    }
                }
            }
        }
        let all = usage(&reports, &seed.admin, &[("by", "event")]).await.expect("a report");
        let sums: i64 = (1..=60).sum::<i64>() - 8 + 7 + 1_000;
        assert_eq!((all.total("tokens"), all.total("input")), (sums, 3), "what was recorded");
        let by_period = usage(&reports, &seed.admin, &[("by", "period")]).await.expect("a report");
        let mut periods: Vec<_> = all.column("period_id");
        periods.dedup();
        assert_eq!((by_period.column("key"), periods.len()), (periods, 2), "in their order");
        metering.stop().await;
        others.stop().await;
    })
    .await;
}

#[tokio::test]
async fn what_a_spreadsheet_would_run_is_disarmed_and_json_has_it_as_it_was_written() {
    each_store(|store| async move {
        let seed = Seed::new(&store).await;
        let metering = seed.metering();
        spend(&seed, &metering).await;
        let reports = Reports::new(store.clone());
        for format in ReportFormat::ALL {
            let events = usage(&reports, &seed.admin, &[("by", "event"), ("format", format.as_str())]).await;
            let events = events.expect("a report");
            let quote = if format == ReportFormat::Jsonl { "" } else { "'" };
            assert!(events.column("id").contains(&format!("{quote}@late").as_str()), "{format}");
            assert!(events.column("id").contains(&format!("{quote}-5").as_str()), "{format}");
            assert!(events.column("model").contains(&format!("{quote}{FORMULA}").as_str()), "{format}");
            let models = usage(&reports, &seed.admin, &[("by", "model"), ("format", format.as_str())]).await;
            let models = models.expect("a report");
            assert!(models.column("key").contains(&format!("{quote}{FORMULA}").as_str()), "{format}");
            assert!(models.column("label").contains(&"No model"), "{format}");
        }
        metering.stop().await;
    })
    .await;
}

#[tokio::test]
async fn days_are_those_of_the_time_zone_on_both_days_when_its_clocks_change() {
    each_store(|store| async move {
        for (now, day, next, hours) in [
            ("2026-03-31T12:00:00Z", "2026-03-29", "2026-03-30", 23),
            ("2026-10-27T12:00:00Z", "2026-10-25", "2026-10-26", 25),
        ] {
            let seed = Seed::with_clock(&store, Clock::manual(at(now))).await;
            let metering = seed.metering();
            let hourly = (0..120).map(|hour| EventInput {
                created_at: Some(seed.clock.now() - Duration::hours(hour)),
                ..event(&format!("event-{hour}"), UsageType::Llm, 1)
            });
            metering.record(&seed.member, hourly.collect()).await.expect("events");
            let reports = Reports::new(store.clone());
            let zone = ("tz", "Europe/Berlin");
            let days = usage(&reports, &seed.admin, &[("by", "day"), zone]).await.expect("a report");
            let at = days.column("key").iter().position(|key| *key == day).expect("the day");
            assert_eq!(days.column("events")[at], hours.to_string());
            for by in ReportBy::ALL {
                let asked = [("by", by.as_str()), zone, ("from", day), ("to", next)];
                let of_day = usage(&reports, &seed.admin, &asked).await.expect("a report");
                let column = if by == ReportBy::Event { "tokens" } else { "llm" };
                assert_eq!(of_day.total(column), hours, "{by}");
            }
            metering.stop().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_report_is_of_one_moment_while_events_arrive() {
    /// More than are read before somebody takes the first of them.
    const BEFORE: usize = 12_000;
    each_store(|store| async move {
        let seed = Seed::new(&store).await;
        let metering = seed.metering();
        let start = seed.clock.now() - Duration::days(1);
        let record = async |name: &str, count: usize| {
            for batch in (0..count).collect::<Vec<_>>().chunks(1_000) {
                let events = batch.iter().map(|number| EventInput {
                    created_at: Some(start + Duration::seconds(*number as i64)),
                    ..event(&format!("{name}-{number}"), UsageType::Llm, 1)
                });
                metering.record(&seed.member, events.collect()).await.expect("events");
            }
        };
        record("before", BEFORE).await;
        let reports = Reports::new(store.clone());
        let query = fields(&[("by", "event")]).usage().expect("a query");
        let mut report = reports.usage(&seed.admin, query).await.expect("a report");
        let mut read = report.body.next().await.expect("a heading").expect("a piece").to_vec();
        read.extend(report.body.next().await.expect("a page").expect("a piece"));
        // In between those that are still to be read, and behind them.
        record("later", BEFORE).await;
        read.extend(file(report).await);
        let table = Table::read(ReportFormat::Csv, &read);
        assert_eq!((table.column("id").len(), table.total("tokens")), (BEFORE, BEFORE as i64));
        let text = String::from_utf8(read).expect("UTF-8");
        let totals: Vec<_> = text.lines().filter(|line| line.starts_with("total,")).collect();
        assert_eq!(totals, [text.lines().last().expect("a line")], "a part of the file has no total");

        let afterwards = usage(&reports, &seed.admin, &[("by", "member")]).await.expect("a report");
        assert_eq!(afterwards.total("events"), 2 * BEFORE as i64);
        metering.stop().await;
    })
    .await;
}

#[tokio::test]
async fn an_admin_has_its_own_group_s_report_and_a_superadmin_any_or_all() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let mut groups = Vec::new();
        for tokens in [7, 11] {
            let admin = app.subscribed().await;
            let spent = json!({"id": unique("event-"), "usage_type": "llm", "tokens_used": tokens});
            assert_eq!(admin.post("/api/subscriptions/usage/events/", spent).await.status, 200);
            let group = admin.get("/api/auth/me/").await.body["group"]["id"].as_str().expect("an id").to_owned();
            groups.push((admin, group, tokens));
        }
        let superadmin = app.superadmin().await;
        for (admin, group, tokens) in &groups {
            let own = admin.get(&format!("{USAGE}?by=event")).await;
            assert_eq!(own.status, 200);
            assert_eq!(own.headers["content-type"], "text/csv; charset=utf-8; header=present");
            assert_eq!(own.headers["content-disposition"], "attachment; filename=\"usage-by-event.csv\"");
            let text = own.body.as_str().expect("a file");
            let columns = "id,occurred_at,recorded_at,period_start,user_id,user,key_id,model,usage_type,tokens,estimated,\
                           input,cached_input,output,reasoning,audio_input,audio_output,period_id\r\n";
            assert!(text.starts_with(columns), "{text}");
            assert_eq!(Table::read(ReportFormat::Csv, text.as_bytes()).total("tokens"), *tokens);
            let asked = superadmin.get(&format!("{USAGE}?by=event&group_id={group}")).await;
            assert_eq!(asked.body, own.body);
        }
        let foreign = format!("{USAGE}?group_id={}", groups[1].1);
        groups[0].0.get(&foreign).await.is_problem(404, "not_found");
        app.member(&groups[0].0).await.get(USAGE).await.is_problem(403, "forbidden");
        for by in ["event", "model"] {
            let all = superadmin.get(&format!("{USAGE}?by={by}")).await;
            let all = Table::read(ReportFormat::Csv, all.body.as_str().expect("a file").as_bytes());
            assert_eq!(all.total(if by == "event" { "tokens" } else { "llm" }), 18);
            assert_eq!(all.column("group_id"), [groups[0].1.as_str(), groups[1].1.as_str()], "{by}");
        }
        for (query, field) in [
            ("format=pdf", "format"),
            ("by=week", "by"),
            ("tz=Mars", "tz"),
            ("from=x", "from"),
            ("from=2026-01-02&to=2026-01-01", "to"),
            ("limit=1", "limit"),
        ] {
            let answer = groups[0].0.get(&format!("{USAGE}?{query}")).await;
            assert_eq!((answer.status, answer.fields()), (422, vec![field]), "{query}");
        }
        app.stop().await;
    })
    .await;
}
