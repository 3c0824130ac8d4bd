//! The footer of an Arrow IPC file and the blocks that it points to.

use std::sync::Arc;

use arrow::{
    array::RecordBatch,
    buffer::Buffer,
    datatypes::Schema,
    error::ArrowError,
    ipc::{
        Block, Footer,
        convert::fb_to_schema,
        reader::{FileDecoder, read_footer_length},
        root_as_footer, root_as_message,
    },
};

/// Magic bytes at the end, and the length of the footer before them.
const TRAILER: usize = 10;

/// A mapped file whose footer is in order.
pub(super) struct Opened<'a> {
    map: &'a Buffer,
    footer: Footer<'a>,
    /// Where the footer begins.
    pub(super) end: usize,
    pub(super) schema: Arc<Schema>,
}

impl<'a> Opened<'a> {
    pub(super) fn new(map: &'a Buffer) -> Result<Self, ArrowError> {
        let short = || broken("the file is too short");
        let trailer = map.len().checked_sub(TRAILER).ok_or_else(short)?;
        let tail = map[trailer..].try_into().map_err(|_| short())?;
        let end = trailer.checked_sub(read_footer_length(tail)?);
        let end = end.ok_or_else(|| broken("the footer is longer than the file"))?;
        let footer = root_as_footer(&map[end..trailer])
            .map_err(|error| broken(&format!("the footer is broken: {error}")))?;
        let schema = footer.schema().ok_or_else(|| broken("the footer has no schema"))?;
        Ok(Self { map, footer, end, schema: Arc::new(fb_to_schema(schema)) })
    }

    /// All record batches; uncompressed columns point into the map, others are copied.
    pub(super) fn batches(&self) -> Result<Vec<RecordBatch>, ArrowError> {
        let decoder = self.decoder()?;
        let mut batches = Vec::new();
        for block in self.blocks() {
            batches.extend(decoder.read_record_batch(block, &self.checked_body(block)?)?);
        }
        Ok(batches)
    }

    /// A decoder that knows the dictionaries.
    pub(super) fn decoder(&self) -> Result<FileDecoder, ArrowError> {
        let mut decoder = FileDecoder::new(Arc::clone(&self.schema), self.footer.version());
        for block in self.dictionaries() {
            decoder.read_dictionary(block, &self.checked_body(block)?)?;
        }
        Ok(decoder)
    }

    pub(super) fn blocks(&self) -> impl Iterator<Item = &'a Block> + use<'a> {
        self.footer.recordBatches().into_iter().flatten()
    }

    pub(super) fn dictionaries(&self) -> impl Iterator<Item = &'a Block> + use<'a> {
        self.footer.dictionaries().into_iter().flatten()
    }

    /// What the footer tells under a name.
    pub(super) fn note(&self, key: &str) -> Option<&'a str> {
        let mut notes = self.footer.custom_metadata()?.iter();
        notes.find(|note| note.key() == Some(key))?.value()
    }

    /// The bytes of a block, which must lie within the file.
    pub(super) fn body(&self, block: &Block) -> Result<Buffer, ArrowError> {
        let number = |value: i64| usize::try_from(value).ok();
        let part = || {
            let start = number(block.offset())?;
            let length =
                number(block.bodyLength())?.checked_add(number(block.metaDataLength().into())?)?;
            (start.checked_add(length)? <= self.map.len()).then_some((start, length))
        };
        let (start, length) = part().ok_or_else(|| broken("a block lies outside the file"))?;
        Ok(self.map.slice_with_length(start, length))
    }

    fn checked_body(&self, block: &Block) -> Result<Buffer, ArrowError> {
        let body = self.body(block)?;
        expect_room(&body, block)?;
        Ok(body)
    }
}

fn broken(what: &str) -> ArrowError {
    ArrowError::IpcError(what.to_owned())
}

/// Refuses compressed columns that claim more bytes than memory could hold. What is broken
/// otherwise is left to the decoder.
fn expect_room(body: &[u8], block: &Block) -> Result<(), ArrowError> {
    let claims = || {
        let continued = body.starts_with(&[0xff; 4]);
        let message = root_as_message(body.get(if continued { 8 } else { 4 }..)?).ok()?;
        let batch = message.header_as_record_batch();
        let batch = batch.or_else(|| message.header_as_dictionary_batch()?.data())?;
        batch.compression()?;
        let start = i64::from(block.metaDataLength());
        let claim = |buffer: &arrow::ipc::Buffer| {
            let start = usize::try_from(start.checked_add(buffer.offset())?).ok()?;
            let length = body.get(start..start.checked_add(8)?)?.try_into().ok()?;
            usize::try_from(i64::from_le_bytes(length)).ok()
        };
        Some(batch.buffers()?.iter().filter_map(claim).fold(0, usize::saturating_add))
    };
    match claims().is_none_or(|bytes| Vec::<u8>::new().try_reserve_exact(bytes).is_ok()) {
        true => Ok(()),
        false => Err(broken("it claims more bytes than memory holds")),
    }
}
