//! How the columns of a table are encoded.

use std::sync::Arc;

use fattail_mend::{Column, Kind};
use parquet::{
    basic::{Compression, ZstdLevel},
    file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesPtr},
    schema::types::ColumnPath,
};

use crate::settings::Codec;

/// Statistics a row group; dictionaries where values come again. Looking for the same number among
/// millions of different ones costs more than writing it.
pub(crate) fn properties(columns: &[Column], texts: bool, codec: Codec) -> WriterPropertiesPtr {
    let compression = match codec {
        Codec::None => Compression::UNCOMPRESSED,
        Codec::Snappy => Compression::SNAPPY,
        Codec::Zstd => Compression::ZSTD(ZstdLevel::default()),
    };
    let mut builder = WriterProperties::builder()
        .set_compression(compression)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .set_max_row_group_row_count(None);
    for column in columns {
        let text = texts || matches!(column.kind, Kind::Text { .. });
        if !text && !column.shape.few {
            let path = ColumnPath::new(vec![column.name.clone()]);
            builder = builder.set_column_dictionary_enabled(path, false);
        }
    }
    Arc::new(builder.build())
}
