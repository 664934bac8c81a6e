//! Rows as files: CSV and JSON lines as they come, a spreadsheet when its last row is there.

use bytes::Bytes;
use csv::{Terminator, WriterBuilder};
use serde::Serializer;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::cell::Row;
use super::xlsx::Spreadsheet;
use super::{Batch, STALLED, timeout};
use crate::domain::ReportFormat;
use crate::error::{Error, Result};

/// Where the pieces of a file go.
pub(super) struct Sink {
    pub(super) pieces: mpsc::Sender<Result<Bytes>>,
    pub(super) runtime: Handle,
}

impl Sink {
    /// Waits until there is room for a piece.
    ///
    /// # Errors
    /// [`Error::Stopping`] where the client is gone, or takes nothing any more.
    pub fn send(&self, piece: Vec<u8>) -> Result<()> {
        let sending = timeout(STALLED, self.pieces.send(Ok(Bytes::from(piece))));
        match self.runtime.block_on(sending) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Error::Stopping("a report's client is gone")),
            Err(_) => Err(Error::Stopping("a report's client takes nothing")),
        }
    }
}

/// Writes every row that comes, and ends with the one that is the last.
pub(super) fn encode(
    format: ReportFormat,
    columns: &[&'static str],
    rows: mpsc::Receiver<Batch>,
    sink: &Sink,
) -> Result<()> {
    match format {
        ReportFormat::Csv => {
            sink.send(csv(std::iter::once(columns.iter().map(|column| (*column).into())))?)?;
            each_batch(rows, |batch| {
                sink.send(csv(batch.iter().map(|row| row.iter().map(|cell| cell.text())))?)
            })
        }
        ReportFormat::Jsonl => each_batch(rows, |batch| sink.send(json_lines(columns, &batch)?)),
        ReportFormat::Xlsx => {
            let mut sheet = Spreadsheet::new(columns)?;
            each_batch(rows, |batch| batch.iter().try_for_each(|row| sheet.add(row)))?;
            sheet.save(|piece| sink.send(piece))
        }
    }
}

fn each_batch(mut rows: mpsc::Receiver<Batch>, mut write: impl FnMut(Vec<Row>) -> Result<()>) -> Result<()> {
    loop {
        match rows.blocking_recv() {
            Some(Batch::Rows(batch)) => write(batch)?,
            Some(Batch::End) => return Ok(()),
            Some(Batch::Failed(error)) => return Err(error),
            None => return Err(Error::Internal("a report's reader is gone".into())),
        }
    }
}

fn csv<'a, R: Iterator<Item = std::borrow::Cow<'a, str>>>(rows: impl Iterator<Item = R>) -> Result<Vec<u8>> {
    let failed = |error: String| Error::Internal(format!("csv: {error}"));
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    for row in rows {
        for cell in row {
            writer.write_field(cell.as_bytes()).map_err(|error| failed(error.to_string()))?;
        }
        writer.write_record(None::<&[u8]>).map_err(|error| failed(error.to_string()))?;
    }
    writer.into_inner().map_err(|error| failed(error.to_string()))
}

fn json_lines(columns: &[&'static str], rows: &[Row]) -> Result<Vec<u8>> {
    let mut lines = Vec::new();
    for row in rows {
        // A map of serde_json's own would put them in alphabetical order.
        let cells = columns.iter().zip(row).map(|(column, cell)| (column, cell.json()));
        let mut line = serde_json::Serializer::new(&mut lines);
        line.collect_map(cells).map_err(|error| Error::Internal(error.to_string()))?;
        lines.push(b'\n');
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::super::cell::Cell;
    use super::*;

    async fn encoded(format: ReportFormat, batches: Vec<Batch>) -> (Vec<u8>, Result<()>) {
        let (rows, taken) = mpsc::channel(8);
        for batch in batches {
            assert!(rows.send(batch).await.is_ok());
        }
        drop(rows);
        let (pieces, mut body) = mpsc::channel(64);
        let sink = Sink { pieces, runtime: Handle::current() };
        let ended = tokio::task::spawn_blocking(move || encode(format, &["id", "tokens"], taken, &sink));
        let mut file = Vec::new();
        while let Some(piece) = body.recv().await {
            file.extend(piece.expect("a piece"));
        }
        (file, ended.await.expect("the encoder ends"))
    }

    fn row(id: &str, tokens: i64) -> Row {
        vec![Cell::Text(id.into()), Cell::Count(tokens)]
    }

    #[tokio::test]
    async fn csv_is_as_rfc_4180_has_it() {
        let rows = vec![row("a,\"b\"\nc", 1), row("=x", -2)];
        let (file, ended) = encoded(ReportFormat::Csv, vec![Batch::Rows(rows), Batch::End]).await;
        assert!(ended.is_ok());
        assert_eq!(String::from_utf8(file).unwrap(), "id,tokens\r\n\"a,\"\"b\"\"\nc\",1\r\n'=x,-2\r\n");
    }

    #[tokio::test]
    async fn json_has_a_line_for_each_row() {
        let (file, _) = encoded(ReportFormat::Jsonl, vec![Batch::Rows(vec![row("=x", 7)]), Batch::End]).await;
        assert_eq!(String::from_utf8(file).unwrap(), "{\"id\":\"=x\",\"tokens\":7}\n");
    }

    #[tokio::test]
    async fn a_reader_that_ends_before_the_end_is_an_error() {
        for format in ReportFormat::ALL {
            let (_, ended) = encoded(format, vec![Batch::Rows(vec![row("a", 1)])]).await;
            assert!(matches!(ended, Err(Error::Internal(_))), "{format}");
        }
    }
}
