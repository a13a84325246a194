//! Where segments stand and how they are encoded.
//!
//! Enters: class, day, level. Leaves: paths and writer properties. Refuses: nothing.
//! Source: `facts/store.md` section 4.1 (settings and their measured effect).

use datafusion::arrow::datatypes::DataType;
use datafusion::parquet::basic::{Compression, Encoding, ZstdLevel};
use datafusion::parquet::file::metadata::{KeyValue, SortingColumn};
use datafusion::parquet::file::properties::{
    EnabledStatistics, WriterProperties, WriterPropertiesBuilder, WriterVersion,
};
use datafusion::parquet::schema::types::ColumnPath;
use model::Kind;

use super::{DAY_MS, META_KEY, SegmentMeta};
use crate::schema::{ClassSchema, SCHEMA_VERSION, tokens_column};

/// Directory of segments below the store's.
pub(crate) const DIR: &str = "segments";

/// Path of a segment below the store's directory: class, day, identifier.
pub(crate) fn path_of(class: &str, logged_ms: i64, id: u64) -> String {
    format!("{DIR}/{class}/{}/{id:016x}.parquet", day_text(logged_ms))
}

/// `YYYYMMDD` of a time.
pub(crate) fn day_text(ms: i64) -> String {
    let (year, month, day) = civil(ms.div_euclid(DAY_MS));
    format!("{year:04}{month:02}{day:02}")
}

/// `YYYY-MM` of a time.
pub(crate) fn month_text(ms: i64) -> String {
    let (year, month, _) = civil(ms.div_euclid(DAY_MS));
    format!("{year:04}-{month:02}")
}

/// Year, month and day of days since 1970-01-01 (H. Hinnant, "days from civil", 2013).
pub(crate) const fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days.saturating_add(719_468);
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_shifted + 2) / 5 + 1;
    let month = if month_shifted < 10 {
        month_shifted + 3
    } else {
        month_shifted - 9
    };
    (
        year_of_era + era * 400 + if month <= 2 { 1 } else { 0 },
        month,
        day,
    )
}

/// Days since 1970-01-01 of a date; the inverse of [`civil`].
pub(crate) const fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// How the file of `meta` is written.
pub(crate) fn properties(schema: &ClassSchema, meta: &SegmentMeta) -> WriterProperties {
    let compacted = meta.level > 0;
    let level = if compacted { 3 } else { 1 };
    let zstd = ZstdLevel::try_new(level).unwrap_or_default();
    let described = serde_json::to_string(meta).unwrap_or_default();
    let mut builder = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_2_0)
        .set_compression(Compression::ZSTD(zstd))
        .set_created_by(format!("vigie store, schema {SCHEMA_VERSION}"))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_write_batch_size(8192)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_dictionary_enabled(true)
        .set_key_value_metadata(Some(vec![KeyValue::new(META_KEY.to_owned(), described)]))
        .set_sorting_columns(time_at(schema).map(|at| {
            vec![SortingColumn {
                column_idx: at,
                descending: false,
                nulls_first: false,
            }]
        }));
    for column in &schema.columns {
        builder = column_properties(builder, column.name, column.kind, compacted);
    }
    builder.build()
}

fn column_properties(
    builder: WriterPropertiesBuilder,
    name: &str,
    kind: Kind,
    compacted: bool,
) -> WriterPropertiesBuilder {
    let path = ColumnPath::from(name);
    let mut builder = builder;
    if matches!(kind, Kind::Time) || name == "seq" {
        builder = builder
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_encoding(path.clone(), Encoding::DELTA_BINARY_PACKED)
            .set_column_statistics_enabled(path.clone(), EnabledStatistics::Page);
    } else if matches!(kind, Kind::U64 | Kind::I64) && compacted {
        builder = builder
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_encoding(path.clone(), Encoding::DELTA_BINARY_PACKED);
    }
    if BLOOMED.contains(&name) {
        builder = builder
            .set_column_bloom_filter_enabled(path.clone(), true)
            .set_column_bloom_filter_fpp(path.clone(), 0.01)
            .set_column_bloom_filter_max_ndv(path.clone(), BLOOM_VALUES_MAX)
            .set_column_statistics_enabled(path, EnabledStatistics::Page);
    }
    if kind == Kind::Sensitive {
        let tokens = format!("{}.list.item", tokens_column(name));
        let parts: Vec<String> = tokens.split('.').map(str::to_owned).collect();
        builder =
            builder.set_column_statistics_enabled(ColumnPath::from(parts), EnabledStatistics::None);
    }
    builder
}

fn time_at(schema: &ClassSchema) -> Option<i32> {
    // Leaf position: lists have one leaf, so leaves and fields count alike.
    let column = schema.column("time")?;
    debug_assert!(matches!(
        schema.arrow.field(column.at).data_type(),
        DataType::Timestamp(..)
    ));
    i32::try_from(column.at).ok()
}

/// Columns that needles are looked for in.
const BLOOMED: &[&str] = &[
    "src_ip",
    "dst_ip",
    "host",
    "query",
    "device_ip",
    "client_ip",
];
/// Distinct values that a bloom filter is made for; it folds down when there are fewer.
const BLOOM_VALUES_MAX: u64 = 60_000;
/// Rows of a row group.
pub(crate) const ROW_GROUP_ROWS: usize = 262_144;
/// Rows of a page.
const PAGE_ROWS: usize = 20_000;
