//! A spreadsheet: its rows go to a temporary file as they come, so that its size costs no memory.

use std::io::{Read, Seek, SeekFrom};

use rust_xlsxwriter::{Format, Workbook, Worksheet, XlsxError};

use super::cell::Cell;
use crate::error::{Error, Result};

/// Rows that a sheet may have, its heading included.
const ROWS: u32 = 1_048_576;
/// Bytes that are sent at a time.
const PIECE: usize = 64 * 1024;
/// Beyond this a spreadsheet's numbers are no longer exact.
const EXACT: i64 = 1 << 53;

pub struct Spreadsheet {
    workbook: Workbook,
    columns: Vec<&'static str>,
    heading: Format,
    /// Of the last sheet.
    next_row: u32,
    sheets: usize,
}

fn failed(error: &XlsxError) -> Error {
    Error::Internal(format!("xlsx: {error}"))
}

impl Spreadsheet {
    /// # Errors
    /// [`Error::Internal`] where no temporary file can be made.
    pub fn new(columns: &[&'static str]) -> Result<Self> {
        let mut sheet = Self {
            workbook: Workbook::new(),
            columns: columns.to_vec(),
            heading: Format::new().set_bold(),
            next_row: 0,
            sheets: 0,
        };
        sheet.begin_sheet().map_err(|error| failed(&error))?;
        Ok(sheet)
    }

    fn begin_sheet(&mut self) -> Result<(), XlsxError> {
        self.sheets += 1;
        let sheet = self.workbook.add_worksheet_with_constant_memory();
        sheet.set_name(format!("Report {}", self.sheets))?;
        sheet.set_freeze_panes(1, 0)?;
        for (column, name) in (0..).zip(&self.columns) {
            sheet.write_string_with_format(0, column, *name, &self.heading)?;
        }
        self.next_row = 1;
        Ok(())
    }

    /// # Errors
    /// [`Error::Internal`] where it can't be written.
    pub fn add(&mut self, row: &[Cell]) -> Result<()> {
        self.write(row).map_err(|error| failed(&error))
    }

    fn write(&mut self, row: &[Cell]) -> Result<(), XlsxError> {
        if self.next_row == ROWS {
            self.begin_sheet()?;
        }
        let at = self.next_row;
        let sheet = self.workbook.worksheet_from_index(self.sheets - 1)?;
        for (column, cell) in (0..).zip(row) {
            write_cell(sheet, at, column, cell)?;
        }
        self.next_row += 1;
        Ok(())
    }

    /// Gives the file, piece by piece.
    ///
    /// # Errors
    /// [`Error::Internal`] where it can't be written; those of `send`.
    pub fn save(mut self, mut send: impl FnMut(Vec<u8>) -> Result<()>) -> Result<()> {
        let io = |error: std::io::Error| Error::Internal(format!("xlsx: {error}"));
        let mut file = tempfile::tempfile().map_err(io)?;
        self.workbook.save_to_writer(&mut file).map_err(|error| failed(&error))?;
        file.seek(SeekFrom::Start(0)).map_err(io)?;
        loop {
            let mut piece = Vec::with_capacity(PIECE);
            if (&mut file).take(PIECE as u64).read_to_end(&mut piece).map_err(io)? == 0 {
                return Ok(());
            }
            send(piece)?;
        }
    }
}

#[allow(clippy::cast_precision_loss, reason = "what isn't exact is written as text")]
fn write_cell(sheet: &mut Worksheet, row: u32, column: u16, cell: &Cell) -> Result<(), XlsxError> {
    match cell {
        Cell::Empty => {}
        Cell::Count(count) if (-EXACT..=EXACT).contains(count) => {
            sheet.write_number(row, column, *count as f64)?;
        }
        Cell::Flag(flag) => {
            sheet.write_boolean(row, column, *flag)?;
        }
        Cell::Decimal(amount) => match amount.decimal().parse::<f64>() {
            Ok(number) => {
                sheet.write_number(row, column, number)?;
            }
            Err(_) => {
                sheet.write_string(row, column, amount.decimal())?;
            }
        },
        cell => {
            sheet.write_string(row, column, cell.text())?;
        }
    }
    Ok(())
}
