//! The measured table of readiness as the page shows it: `book/src/tables/09-readiness.md`, from
//! `book/recordings/readiness-table.json`.

use std::io;

use ch09_readiness::show;
use ch09_readiness::table::Table;

use super::{Generated, named};
use crate::house::{File, House};

/// The one table.
pub const KIND: Generated = Generated { name: "tables", folder: Some("book/src/tables"), files };

/// What it is made from.
pub(crate) const RECORDING: &str = "book/recordings/readiness-table.json";

fn files(house: &House) -> io::Result<Vec<File>> {
    let table = Table::read(&house.root.join(RECORDING));
    let table = table.map_err(|error| named(RECORDING, &error))?;
    Ok(vec![("book/src/tables/09-readiness.md".to_owned(), show::markdown(&table))])
}
