//! Several statements of SQLite's in one round trip to the engine's thread: as one text, which is prepared once.

use std::fmt::Write;

use futures::TryStreamExt;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments, AssertSqlSafe, Either, Encode, Executor, FromRow, Sqlite, SqliteConnection, Type};

use crate::error::{Error, Result};

/// Statements to run one after the other. Each numbers its own parameters from `$1`, as it would alone.
#[derive(Default)]
pub struct Script {
    sql: String,
    arguments: SqliteArguments,
    /// Parameters so far.
    count: usize,
    statements: usize,
}

/// What each statement of a script found, in their order.
pub struct Answers(std::vec::IntoIter<Vec<SqliteRow>>);

impl Script {
    /// Adds a statement. Its values are bound next, one by one.
    pub fn add(&mut self, statement: &str) -> &mut Self {
        let mut parts = statement.split('$');
        self.sql.push_str(parts.next().unwrap_or_default());
        for part in parts {
            let digits = part.bytes().take_while(u8::is_ascii_digit).count();
            let (number, rest) = part.split_at(digits);
            match number.parse::<usize>() {
                // Writing to a String doesn't fail.
                Ok(number) => drop(write!(self.sql, "${}", self.count + number)),
                // In a text: JSON's `$.g`.
                Err(_) => self.sql.push('$'),
            }
            self.sql.push_str(rest);
        }
        self.end()
    }

    /// Adds a statement that begins with `before`, goes on with so many rows of so many values, and ends with `after`. No
    /// values come before these: they have no numbers, which SQLite would look up one by one, in a time that grows with
    /// the square of theirs.
    pub fn add_rows(&mut self, before: &str, rows: usize, columns: usize, after: &str) -> &mut Self {
        debug_assert_eq!(self.count, 0, "rows come first");
        let row = vec!["?"; columns].join(",");
        self.sql.push_str(before);
        for number in 0..rows {
            self.sql.push_str(if number == 0 { "(" } else { ",(" });
            self.sql.push_str(&row);
            self.sql.push(')');
        }
        self.sql.push_str(after);
        self.end()
    }

    /// Binds the next value of the statement that was added last.
    ///
    /// # Errors
    /// [`Error::Internal`] for a value that can't be encoded.
    pub fn bind<'v, T: Encode<'v, Sqlite> + Type<Sqlite>>(&mut self, value: T) -> Result<&mut Self> {
        self.arguments.add(value).map_err(|error| Error::Internal(error.to_string()))?;
        self.count += 1;
        Ok(self)
    }

    /// Runs the statements. Where one fails, those before it have had their effect.
    ///
    /// # Errors
    /// The database's.
    pub async fn run(self, connection: &mut SqliteConnection) -> Result<Answers> {
        let query = sqlx::query_with(AssertSqlSafe(self.sql), self.arguments);
        let mut steps = connection.fetch_many(query);
        let mut answers = Vec::with_capacity(self.statements);
        let mut rows = Vec::new();
        while let Some(step) = steps.try_next().await? {
            match step {
                Either::Left(_) => answers.push(std::mem::take(&mut rows)),
                Either::Right(row) => rows.push(row),
            }
        }
        Ok(Answers(answers.into_iter()))
    }

    fn end(&mut self) -> &mut Self {
        self.sql.push(';');
        self.statements += 1;
        self
    }
}

impl Answers {
    /// The rows of the next statement.
    ///
    /// # Errors
    /// [`Error::Internal`] where there was no such statement; the database's, for rows of another shape.
    pub fn next<T: for<'r> FromRow<'r, SqliteRow>>(&mut self) -> Result<Vec<T>> {
        let rows = self.0.next().ok_or_else(|| Error::Internal("no more statements were run".into()))?;
        Ok(rows.iter().map(T::from_row).collect::<sqlx::Result<_>>()?)
    }

    /// Leaves out the next statement, which finds nothing.
    pub fn skip(&mut self) {
        self.0.next();
    }
}

#[cfg(test)]
mod tests {
    use sqlx::Connection;

    use super::*;

    #[tokio::test]
    async fn statements_run_in_order_each_with_its_own_parameters() {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        let mut script = Script::default();
        script.add("CREATE TABLE t (a, b)");
        script.add_rows("INSERT INTO t VALUES ", 2, 2, "");
        for value in 1..=4 {
            script.bind(value).unwrap();
        }
        script.add("SELECT a FROM t WHERE b = $2 OR b = $1 ORDER BY a").bind(2).unwrap().bind(4).unwrap();
        script.add(r#"SELECT $1 ->> '$.x'"#).bind(r#"{"x": 7}"#).unwrap();
        let mut answers = script.run(&mut connection).await.unwrap();
        answers.skip();
        answers.skip();
        assert_eq!(answers.next::<(i64,)>().unwrap(), [(1,), (3,)]);
        assert_eq!(answers.next::<(i64,)>().unwrap(), [(7,)]);
    }

    #[tokio::test]
    async fn a_statement_that_fails_ends_the_script() {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        let mut script = Script::default();
        script.add("CREATE TABLE t (a UNIQUE)");
        script.add_rows("INSERT INTO t VALUES ", 2, 1, "").bind(1).unwrap().bind(1).unwrap();
        script.add("CREATE TABLE u (a)");
        assert!(script.run(&mut connection).await.is_err());
        assert!(sqlx::query("SELECT * FROM t").execute(&mut connection).await.is_ok());
        assert!(sqlx::query("SELECT * FROM u").execute(&mut connection).await.is_err());
    }
}
