//! The encoding of a text, and its way to UTF-8.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{CoderResult, Decoder, Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// An encoding, and how sure it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Charset {
    encoding: &'static Encoding,
    /// Bytes of the byte-order mark at the beginning.
    pub mark: usize,
    /// From 0 to 1.
    pub confidence: f64,
}

impl Charset {
    /// UTF-8 without a byte-order mark.
    pub const UTF_8: Self = Self { encoding: UTF_8, mark: 0, confidence: 1.0 };

    /// Finds the encoding of a text from its beginning. A byte-order mark decides; UTF-16 without one
    /// shows by zero bytes in every second place; what is UTF-8 but for few bytes is UTF-8; the rest is
    /// judged by the letters (H. Sivonen, chardetng, 2019).
    pub fn detect(sample: &[u8]) -> Self {
        if let Some((encoding, mark)) = Encoding::for_bom(sample) {
            return Self { encoding, mark, confidence: 1.0 };
        }
        if let Some((encoding, confidence)) = utf_16(sample) {
            return Self { encoding, mark: 0, confidence };
        }
        let (good, bad) = sequences(sample);
        if bad == 0 || good >= 4 * bad {
            let confidence = (good + 1) as f64 / (good + bad + 1) as f64;
            return Self { encoding: UTF_8, mark: 0, confidence };
        }
        let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
        detector.feed(sample, true);
        // A byte or two say little about letters: the encoding of most old files it is then.
        let encoding = match bad {
            0..3 => WINDOWS_1252,
            _ => detector.guess(None, Utf8Detection::Deny),
        };
        Self { encoding, mark: 0, confidence: bad as f64 / (good + bad + 8) as f64 }
    }

    /// The encoding with a name, such as `latin1`, as the WHATWG's standard has them.
    pub fn named(name: &str, sample: &[u8]) -> Option<Self> {
        let encoding = Encoding::for_label(name.as_bytes())?;
        let mark = Encoding::for_bom(sample).filter(|(found, _)| *found == encoding);
        Some(Self { encoding, mark: mark.map_or(0, |(_, bytes)| bytes), confidence: 1.0 })
    }

    /// The name of the encoding.
    pub fn name(&self) -> &'static str {
        self.encoding.name()
    }

    /// Whether the bytes can be read as they are.
    pub fn is_utf_8(&self) -> bool {
        self.encoding == UTF_8
    }

    /// A stream of the encoding, turned into UTF-8.
    pub fn transcoder(&self) -> Transcoder {
        Transcoder { decoder: self.encoding.new_decoder_without_bom_handling() }
    }
}

/// Turns a stream of bytes into UTF-8, piece by piece.
pub struct Transcoder {
    decoder: Decoder,
}

impl std::fmt::Debug for Transcoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Transcoder").field(&self.decoder.encoding().name()).finish()
    }
}

impl Transcoder {
    /// Adds the text of the next piece; what the encoding does not allow becomes U+FFFD. `last` ends
    /// the stream.
    pub fn push(&mut self, mut bytes: &[u8], last: bool, text: &mut Vec<u8>) {
        loop {
            let start = text.len();
            let room = self.decoder.max_utf8_buffer_length(bytes.len()).unwrap_or(bytes.len());
            text.resize(start + room.max(16), 0);
            let (result, read, written, _) =
                self.decoder.decode_to_utf8(bytes, &mut text[start..], last);
            text.truncate(start + written);
            bytes = &bytes[read..];
            if result == CoderResult::InputEmpty {
                return;
            }
        }
    }
}

/// UTF-16 of mostly Latin text has a zero in every second byte.
fn utf_16(sample: &[u8]) -> Option<(&'static Encoding, f64)> {
    let pairs = sample.as_chunks::<2>().0;
    if pairs.len() < 4 {
        return None;
    }
    let share =
        |at: usize| pairs.iter().filter(|pair| pair[at] == 0).count() as f64 / pairs.len() as f64;
    let (first, second) = (share(0), share(1));
    match (first, second) {
        _ if second > 0.4 && first < 0.05 => Some((UTF_16LE, second)),
        _ if first > 0.4 && second < 0.05 => Some((UTF_16BE, first)),
        _ => None,
    }
}

/// Sequences of more than one byte that are UTF-8, and bytes that are not.
fn sequences(mut sample: &[u8]) -> (usize, usize) {
    let (mut good, mut bad) = (0, 0);
    let several = |text: &str| text.bytes().filter(|byte| *byte >= 0xc0).count();
    loop {
        match std::str::from_utf8(sample) {
            Ok(text) => return (good + several(text), bad),
            Err(error) => {
                let (valid, rest) = sample.split_at(error.valid_up_to());
                good += std::str::from_utf8(valid).map_or(0, several);
                // The sample may end within a sequence.
                let Some(broken) = error.error_len() else { return (good, bad) };
                bad += broken;
                sample = &rest[broken..];
            }
        }
    }
}

/// Reads bytes that are not UTF-8 as Windows-1252, and the others as they are.
pub(crate) fn patched(mut bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes.len() + 8);
    loop {
        let Err(error) = std::str::from_utf8(bytes) else {
            text.extend_from_slice(bytes);
            return text;
        };
        let (valid, rest) = bytes.split_at(error.valid_up_to());
        text.extend_from_slice(valid);
        let (broken, rest) = rest.split_at(error.error_len().unwrap_or(rest.len()));
        text.extend_from_slice(WINDOWS_1252.decode_without_bom_handling(broken).0.as_bytes());
        bytes = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(sample: &[u8]) -> &'static str {
        Charset::detect(sample).name()
    }

    #[test]
    fn the_usual_encodings() {
        assert_eq!(name(b"plain"), "UTF-8");
        assert_eq!(name("Zürich, Köln".as_bytes()), "UTF-8");
        assert_eq!(name(b"\xef\xbb\xbfa"), "UTF-8");
        assert_eq!(name(b"Z\xfcrich;K\xf6ln;M\xfcnchen;D\xfcsseldorf;Sch\xf6nau"), "windows-1252");
        let cyrillic =
            b"\xcf\xf0\xe8\xe2\xe5\xf2;\xd6\xe5\xed\xe0;\xc4\xe0\xf2\xe0;\xd2\xee\xe2\xe0\xf0";
        assert_eq!(name(cyrillic), "windows-1251");
        let wide: Vec<u8> = "a;b;1,5\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(name(&wide), "UTF-16LE");
        let mut text = Vec::new();
        let mut transcoder = Charset::detect(&wide).transcoder();
        for piece in wide.chunks(3) {
            transcoder.push(piece, false, &mut text);
        }
        transcoder.push(b"", true, &mut text);
        assert_eq!(text, b"a;b;1,5\r\n");
    }

    #[test]
    fn a_stray_byte_does_not_change_the_encoding() {
        let text = [&b"Z\xc3\xbcrich K\xc3\xb6ln M\xc3\xbcnchen \xc3\x9f "[..], b"\xff"].concat();
        assert_eq!(name(&text), "UTF-8");
        assert_eq!(patched(&text).last_chunk(), Some("ÿ".as_bytes().first_chunk::<2>().unwrap()));
    }
}
