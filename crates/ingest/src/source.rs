//! The text of a file: plain or compressed, in any encoding, piece by piece.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use fattail_mend::{Charset, Known, Transcoder};
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Bytes at the beginning that tell the encoding and the layout.
const START: usize = 1 << 20;
/// Bytes of a stretch elsewhere, and how many stretches there are.
const STRETCH: usize = 1 << 17;
const STRETCHES: u64 = 16;
/// Encoded bytes that are turned into UTF-8 at once.
const PIECE: usize = 1 << 20;

/// How a file is compressed, told by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compression {
    /// Not at all.
    None,
    /// By gzip, in one member or several.
    Gzip,
    /// By Zstandard, in one frame or several.
    Zstd,
}

/// A file as text.
pub(crate) struct Source {
    path: PathBuf,
    reader: Box<dyn Read + Send>,
    encoded: Option<Encoded>,
    ended: bool,
    /// Where in the file the reader stands.
    at: Arc<AtomicU64>,
}

/// A file that tells how far it was read, whatever stands between it and the text.
struct Counted {
    file: File,
    at: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(bytes)?;
        self.at.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Text that has to be turned into UTF-8.
struct Encoded {
    /// None at the end of the file.
    transcoder: Option<Transcoder>,
    /// Text that was decoded and not yet asked for.
    text: Vec<u8>,
}

/// What a file is.
#[derive(Debug)]
pub(crate) struct Probe {
    /// Bytes on the disk.
    pub(crate) size: u64,
    pub(crate) compression: Compression,
    pub(crate) charset: Charset,
    /// The text at the beginning.
    pub(crate) start: Vec<u8>,
    /// Whether that is all of it.
    pub(crate) whole: bool,
    /// Stretches of text elsewhere; none where the file cannot be read in any order.
    pub(crate) elsewhere: Vec<Vec<u8>>,
}

/// A compressed file holds so many times its bytes, about.
const COMPRESSED: u64 = 8;

impl Probe {
    /// Bytes of text, about.
    pub(crate) fn text(&self) -> u64 {
        match self.compression {
            Compression::None => self.size,
            Compression::Gzip | Compression::Zstd => self.size.saturating_mul(COMPRESSED),
        }
    }
}

/// Looks at a file.
pub(crate) fn probe(path: &Path, known: &Known) -> Result<Probe> {
    let failed = Error::read(path);
    let file = File::open(path).map_err(&failed)?;
    let size = file.metadata().map_err(&failed)?.len();
    let compression = compression(&file).map_err(&failed)?;
    let mut reader = decompressed(file, compression).map_err(&failed)?;
    let mut bytes = Vec::new();
    reader.by_ref().take(START as u64).read_to_end(&mut bytes).map_err(&failed)?;
    let whole = bytes.len() < START;
    let charset = match &known.encoding {
        None => Charset::detect(&bytes),
        Some(name) => Charset::named(name, &bytes).ok_or_else(|| {
            Error::Setting(fattail_core::Error::setting(
                "encoding",
                name.clone(),
                "a label of the WHATWG's encodings, such as utf-8",
            ))
        })?,
    };
    let text = text_of(&charset, &bytes[charset.mark.min(bytes.len())..], whole);
    let plain = compression == Compression::None && charset.is_utf_8();
    let elsewhere = match plain && size > 4 * START as u64 {
        true => stretches(path, size).map_err(&failed)?,
        false => Vec::new(),
    };
    Ok(Probe { size, compression, charset, start: text, whole, elsewhere })
}

fn text_of(charset: &Charset, bytes: &[u8], last: bool) -> Vec<u8> {
    if charset.is_utf_8() {
        return bytes.to_vec();
    }
    let mut text = Vec::new();
    charset.transcoder().push(bytes, last, &mut text);
    text
}

fn stretches(path: &Path, size: u64) -> io::Result<Vec<Vec<u8>>> {
    let mut file = File::open(path)?;
    (1..=STRETCHES)
        .map(|at| {
            let mut stretch = Vec::with_capacity(STRETCH);
            let start = (size / STRETCHES * at).saturating_sub(STRETCH as u64);
            file.seek(SeekFrom::Start(start))?;
            file.by_ref().take(STRETCH as u64).read_to_end(&mut stretch)?;
            Ok(stretch)
        })
        .collect()
}

fn compression(file: &File) -> io::Result<Compression> {
    let mut magic = Vec::new();
    let mut file = file;
    file.take(4).read_to_end(&mut magic)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(match magic[..] {
        [0x1f, 0x8b, ..] => Compression::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd] => Compression::Zstd,
        _ => Compression::None,
    })
}

fn decompressed(
    file: impl Read + Send + 'static,
    compression: Compression,
) -> io::Result<Box<dyn Read + Send>> {
    Ok(match compression {
        Compression::None => Box::new(file),
        Compression::Gzip => Box::new(flate2::read::MultiGzDecoder::new(io::BufReader::new(file))),
        Compression::Zstd => Box::new(zstd::stream::read::Decoder::new(file)?),
    })
}

impl Source {
    /// Opens the text of a file behind its first `offset` bytes, the byte-order mark not counted.
    pub(crate) fn open(path: &Path, probe: &Probe, offset: u64) -> Result<Self> {
        let failed = Error::read(path);
        let mut file = File::open(path).map_err(&failed)?;
        let mark = probe.charset.mark as u64;
        let plain = probe.compression == Compression::None && probe.charset.is_utf_8();
        let start = if plain { mark + offset } else { 0 };
        file.seek(SeekFrom::Start(start)).map_err(&failed)?;
        let at = Arc::new(AtomicU64::new(start));
        let counted = Counted { file, at: Arc::clone(&at) };
        let reader = decompressed(counted, probe.compression).map_err(&failed)?;
        let encoded = (!probe.charset.is_utf_8())
            .then(|| Encoded { transcoder: Some(probe.charset.transcoder()), text: Vec::new() });
        let mut source = Self { path: path.into(), reader, encoded, ended: false, at };
        if !plain {
            let marked = io::copy(&mut source.reader.by_ref().take(mark), &mut io::sink());
            marked.map_err(&failed)?;
            source.skip(offset)?;
        }
        Ok(source)
    }

    /// Bytes of the file up to where it was read: all of them at the end.
    pub(crate) fn bytes(&self) -> u64 {
        self.at.load(Ordering::Relaxed)
    }

    fn skip(&mut self, mut offset: u64) -> Result<()> {
        let mut text = Vec::new();
        while offset > 0 && !self.ended {
            text.clear();
            // Pieces as large as may be, so that the text is the same as when it was read at once.
            self.fill(&mut text, usize::try_from(offset).unwrap_or(usize::MAX).min(PIECE))?;
            offset -= text.len() as u64;
        }
        Ok(())
    }

    /// Adds `bytes` more bytes of text, or what there is; false at the end of the file.
    pub(crate) fn fill(&mut self, text: &mut Vec<u8>, bytes: usize) -> Result<bool> {
        match self.encoded.is_some() {
            false => self.fill_plain(text, bytes)?,
            true => self.fill_encoded(text, text.len() + bytes)?,
        }
        Ok(!self.ended)
    }

    fn fill_plain(&mut self, text: &mut Vec<u8>, bytes: usize) -> Result<()> {
        text.reserve(bytes);
        let read = self.reader.by_ref().take(bytes as u64).read_to_end(text);
        self.ended = read.map_err(Error::read(&self.path))? < bytes;
        Ok(())
    }

    fn fill_encoded(&mut self, text: &mut Vec<u8>, wanted: usize) -> Result<()> {
        let Some(encoded) = &mut self.encoded else { return Ok(()) };
        let mut piece = Vec::new();
        loop {
            let kept = encoded.text.len().min(wanted - text.len());
            text.extend(encoded.text.drain(..kept));
            let Some(transcoder) = encoded.transcoder.as_mut().filter(|_| text.len() < wanted)
            else {
                self.ended = text.len() < wanted;
                return Ok(());
            };
            piece.clear();
            let read = self.reader.by_ref().take(PIECE as u64).read_to_end(&mut piece);
            let last = read.map_err(Error::read(&self.path))? < PIECE;
            transcoder.push(&piece, last, &mut encoded.text);
            if last {
                encoded.transcoder = None;
            }
        }
    }
}
