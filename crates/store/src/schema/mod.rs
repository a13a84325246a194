//! Columns of each class: from the field tables of `model` to Arrow schemas.
//!
//! Enters: `model::CLASSES`. Leaves: one [`ClassSchema`] a class, the same for memory, log and
//! segments; each Arrow field carries its OCSF path as metadata.
//! Refuses: a column that two parts of one class claim (a test keeps it so). Columns are only
//! added.
//! Source: `DESIGN.md` section 5; OCSF 1.8.0.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use model::record::Record as _;
use model::{CLASSES, Class, Connection, Kind};

/// Version of the column layout, written into every segment. Raised when a column is added.
pub const SCHEMA_VERSION: u32 = 1;

/// The time zone of every time column.
pub const UTC: &str = "UTC";

/// Octets of an address column: IPv4 is mapped into IPv6.
pub const IP_OCTETS: i32 = 16;

/// Which part of an event a column comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// [`model::Meta`].
    Spine(Spine),
    /// [`model::Connection`], by field index.
    Connection(usize),
    /// The class's own body, by field index.
    Body(usize),
}

/// Columns that every event has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Spine {
    /// Node of the identity.
    Node,
    /// Sequence of the identity.
    Seq,
    /// When it happened.
    Time,
    /// When Vigie recorded it.
    LoggedTime,
    /// OCSF class.
    ClassUid,
    /// OCSF activity.
    Activity,
    /// OCSF severity.
    Severity,
    /// OCSF status.
    Status,
    /// Status in the protocol's words.
    StatusCode,
    /// Site name.
    Site,
    /// Labels.
    Labels,
}

/// One logical column; a sensitive one stands for two in Arrow: display and tokens.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Name in SQL and in the search language.
    pub name: &'static str,
    /// OCSF path.
    pub path: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// One sentence.
    pub doc: &'static str,
    /// Where it comes from.
    pub part: Part,
    /// Position of its first (or only) Arrow field.
    pub at: usize,
}

/// The columns of one class.
#[derive(Debug)]
pub struct ClassSchema {
    /// The class.
    pub class: &'static Class,
    /// Logical columns: spine, connection (network classes only), body.
    pub columns: Vec<Column>,
    /// The Arrow form.
    pub arrow: SchemaRef,
    by_name: BTreeMap<&'static str, usize>,
}

impl ClassSchema {
    /// The schema of a class; `None` for a class that this version does not know.
    #[must_use]
    pub fn of(uid: u32) -> Option<&'static Self> {
        all().iter().find(|schema| schema.class.uid == uid)
    }

    /// The logical column of this name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.by_name.get(name).and_then(|at| self.columns.get(*at))
    }

    fn build(class: &'static Class) -> Self {
        let mut columns = Vec::new();
        let mut fields = Vec::new();
        for (name, path, kind, doc, spine) in SPINE {
            add(
                &mut columns,
                &mut fields,
                (name, path, *kind, doc),
                Part::Spine(*spine),
            );
        }
        if class.network {
            for (index, field) in Connection::FIELDS.iter().enumerate() {
                let what = (&field.column, &field.path, field.kind, &field.doc);
                add(&mut columns, &mut fields, what, Part::Connection(index));
            }
        }
        for (index, field) in class.fields.iter().enumerate() {
            let what = (&field.column, &field.path, field.kind, &field.doc);
            add(&mut columns, &mut fields, what, Part::Body(index));
        }
        let by_name = columns
            .iter()
            .enumerate()
            .map(|(at, column)| (column.name, at))
            .collect();
        let arrow = Arc::new(Schema::new(fields));
        Self {
            class,
            columns,
            arrow,
            by_name,
        }
    }
}

/// The schemas of all classes, in the order of [`CLASSES`].
pub fn all() -> &'static [ClassSchema] {
    static ALL: OnceLock<Vec<ClassSchema>> = OnceLock::new();
    ALL.get_or_init(|| {
        CLASSES
            .iter()
            .map(|class| ClassSchema::build(class))
            .collect()
    })
}

/// The schema of what every class has: spine and connection, as the view `events` shows it.
pub fn common() -> &'static [Column] {
    static COMMON: OnceLock<Vec<Column>> = OnceLock::new();
    COMMON.get_or_init(|| {
        let mut columns = Vec::new();
        let mut fields = Vec::new();
        for (name, path, kind, doc, spine) in SPINE {
            add(
                &mut columns,
                &mut fields,
                (name, path, *kind, doc),
                Part::Spine(*spine),
            );
        }
        for (index, field) in Connection::FIELDS.iter().enumerate() {
            let what = (&field.column, &field.path, field.kind, &field.doc);
            add(&mut columns, &mut fields, what, Part::Connection(index));
        }
        columns
    })
}

/// The Arrow type of a kind; a sensitive value's display.
#[must_use]
pub fn arrow_type(kind: Kind) -> DataType {
    match kind {
        Kind::Bool => DataType::Boolean,
        Kind::U16 => DataType::UInt16,
        Kind::U32 => DataType::UInt32,
        Kind::U64 => DataType::UInt64,
        Kind::I64 => DataType::Int64,
        Kind::Text | Kind::Mac | Kind::Sensitive => DataType::Utf8,
        Kind::Ip => DataType::FixedSizeBinary(IP_OCTETS),
        Kind::Time => DataType::Timestamp(TimeUnit::Millisecond, Some(UTC.into())),
        Kind::TextList => list_of(DataType::Utf8),
        Kind::U64List => list_of(DataType::UInt64),
        Kind::IpList => list_of(DataType::FixedSizeBinary(IP_OCTETS)),
    }
}

/// The name of the token column of a sensitive one.
#[must_use]
pub fn tokens_column(column: &str) -> String {
    format!("{column}_tokens")
}

fn list_of(item: DataType) -> DataType {
    DataType::List(Arc::new(Field::new("item", item, true)))
}

type What<'a> = (&'a &'static str, &'a &'static str, Kind, &'a &'static str);

fn add(columns: &mut Vec<Column>, fields: &mut Vec<Field>, what: What<'_>, part: Part) {
    let (name, path, kind, doc) = what;
    columns.push(Column {
        name,
        path,
        kind,
        doc,
        part,
        at: fields.len(),
    });
    let metadata = HashMap::from([(OCSF.to_owned(), (*path).to_owned())]);
    let required = matches!(part, Part::Spine(spine) if spine < Spine::StatusCode);
    fields.push(Field::new(*name, arrow_type(kind), !required).with_metadata(metadata.clone()));
    if kind == Kind::Sensitive {
        let tokens = Field::new(tokens_column(name), list_of(DataType::UInt64), true);
        fields.push(tokens.with_metadata(metadata));
    }
}

/// Metadata key of the OCSF path.
pub const OCSF: &str = "ocsf";

/// Name, OCSF path, kind, sentence, part; everything before `StatusCode` is always there.
static SPINE: &[(&str, &str, Kind, &str, Spine)] = &[
    (
        "node",
        "metadata.uid",
        Kind::U32,
        "Who made the event.",
        Spine::Node,
    ),
    (
        "seq",
        "metadata.uid",
        Kind::U64,
        "Its sequence within the node.",
        Spine::Seq,
    ),
    ("time", "time", Kind::Time, "When it happened.", Spine::Time),
    (
        "logged_time",
        "metadata.logged_time",
        Kind::Time,
        "When it was recorded.",
        Spine::LoggedTime,
    ),
    (
        "class_uid",
        "class_uid",
        Kind::U32,
        "OCSF class.",
        Spine::ClassUid,
    ),
    (
        "activity",
        "activity_id",
        Kind::U16,
        "OCSF activity of the class.",
        Spine::Activity,
    ),
    (
        "severity",
        "severity_id",
        Kind::U16,
        "OCSF severity, 1 to 6.",
        Spine::Severity,
    ),
    (
        "status",
        "status_id",
        Kind::U16,
        "0 unknown, 1 success, 2 failure.",
        Spine::Status,
    ),
    (
        "status_code",
        "status_code",
        Kind::Text,
        "Status in the protocol's words.",
        Spine::StatusCode,
    ),
    (
        "site",
        "metadata.tenant_uid",
        Kind::Text,
        "Site name.",
        Spine::Site,
    ),
    (
        "labels",
        "metadata.labels",
        Kind::TextList,
        "Labels.",
        Spine::Labels,
    ),
];

#[cfg(test)]
mod tests;
