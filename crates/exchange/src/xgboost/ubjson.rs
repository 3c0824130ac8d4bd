//! Universal Binary JSON, as far as XGBoost's models use it.
//!
//! A value is a marker and its bytes, numbers big-endian. Arrays are counted and of one type
//! (`[$d#L` count, items without markers), counted (`[#L` count), or closed by `]`. A number that is not
//! finite reads as null. Nothing is reserved that the rest of the bytes could not fill.
//! Reference: ubjson.org, draft 12.

use serde_json::{Map, Number, Value};

use crate::{Error, Result};

/// How deep values may nest; XGBoost's models need 8.
const DEPTH: usize = 64;

/// Reads a document.
pub(super) fn decode(bytes: &[u8]) -> Result<Value> {
    let mut reader = Reader { bytes, at: 0 };
    let marker = reader.byte()?;
    let value = reader.value(marker, DEPTH)?;
    if reader.at == bytes.len() { Ok(value) } else { Err(reader.error("the document ends before")) }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn error(&self, reason: impl Into<String>) -> Error {
        Error::Document { path: format!("byte {}", self.at), reason: reason.into() }
    }

    fn take(&mut self, count: usize) -> Result<&[u8]> {
        let rest = self.bytes.len() - self.at;
        if count > rest {
            return Err(self.error(format!("{count} bytes are expected, {rest} are left")));
        }
        self.at += count;
        Ok(&self.bytes[self.at - count..self.at])
    }

    fn byte(&mut self) -> Result<u8> {
        Ok(self.take(1)?[0])
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip(&mut self, marker: u8) -> bool {
        let there = self.peek() == Some(marker);
        self.at += usize::from(there);
        there
    }

    fn value(&mut self, marker: u8, depth: usize) -> Result<Value> {
        if depth == 0 {
            return Err(self.error(format!("values nest deeper than {DEPTH}")));
        }
        match marker {
            b'Z' => Ok(Value::Null),
            b'T' => Ok(Value::Bool(true)),
            b'F' => Ok(Value::Bool(false)),
            b'S' => Ok(Value::String(self.text()?)),
            b'[' => self.items(depth - 1),
            b'{' => self.object(depth - 1),
            b'd' | b'D' => self.float(marker),
            _ => Ok(Value::Number(self.integer(marker)?.into())),
        }
    }

    fn float(&mut self, marker: u8) -> Result<Value> {
        let x = match marker {
            b'd' => f64::from(f32::from_be_bytes(self.array()?)),
            _ => f64::from_be_bytes(self.array()?),
        };
        Ok(Number::from_f64(x).map_or(Value::Null, Value::Number))
    }

    fn integer(&mut self, marker: u8) -> Result<i64> {
        Ok(match marker {
            b'i' => i64::from(i8::from_be_bytes(self.array()?)),
            b'U' => i64::from(self.byte()?),
            b'I' => i64::from(i16::from_be_bytes(self.array()?)),
            b'l' => i64::from(i32::from_be_bytes(self.array()?)),
            b'L' => i64::from_be_bytes(self.array()?),
            _ => {
                self.at -= 1;
                return Err(self.error(format!("byte {marker:#04x} is no marker")));
            }
        })
    }

    /// A count of things of at least `size` bytes each.
    fn count(&mut self, size: usize) -> Result<usize> {
        let marker = self.byte()?;
        let count = self.integer(marker)?;
        let limit = (self.bytes.len() - self.at) / size;
        let fits = usize::try_from(count).ok().filter(|&count| count <= limit);
        fits.ok_or_else(|| self.error(format!("the count is {count}, allowed is 0 to {limit}")))
    }

    fn text(&mut self) -> Result<String> {
        let count = self.count(1)?;
        let text = std::str::from_utf8(self.take(count)?).map(str::to_owned);
        text.map_err(|_| self.error("a string is not UTF-8"))
    }

    fn items(&mut self, depth: usize) -> Result<Value> {
        if self.skip(b'$') {
            return self.typed(depth);
        }
        let mut list = Vec::new();
        if self.skip(b'#') {
            for _ in 0..self.count(1)? {
                let marker = self.byte()?;
                list.push(self.value(marker, depth)?);
            }
        } else {
            while !self.skip(b']') {
                let marker = self.byte()?;
                list.push(self.value(marker, depth)?);
            }
        }
        Ok(Value::Array(list))
    }

    fn typed(&mut self, depth: usize) -> Result<Value> {
        let marker = self.byte()?;
        let size = match marker {
            b'i' | b'U' => 1,
            b'I' => 2,
            b'l' | b'd' => 4,
            b'L' | b'D' => 8,
            _ => return Err(self.error(format!("byte {marker:#04x} is no type of numbers"))),
        };
        if !self.skip(b'#') {
            return Err(self.error("a typed array has no count"));
        }
        let count = self.count(size)?;
        (0..count).map(|_| self.value(marker, depth + 1)).collect::<Result<_>>().map(Value::Array)
    }

    fn object(&mut self, depth: usize) -> Result<Value> {
        let mut map = Map::new();
        let mut left = if self.skip(b'#') { Some(self.count(2)?) } else { None };
        while left != Some(0) && !(left.is_none() && self.skip(b'}')) {
            let key = self.text()?;
            let marker = self.byte()?;
            let value = self.value(marker, depth)?;
            if map.insert(key, value).is_some() {
                return Err(self.error("a key stands twice"));
            }
            left = left.map(|left| left - 1);
        }
        Ok(Value::Object(map))
    }
}

/// Writes a document; the arrays of a tree are of the types that XGBoost's reader asks for.
pub(super) fn encode(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    put(&mut bytes, value);
    bytes
}

fn put(bytes: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => bytes.push(b'Z'),
        Value::Bool(true) => bytes.push(b'T'),
        Value::Bool(false) => bytes.push(b'F'),
        Value::Number(number) => put_number(bytes, number),
        Value::String(text) => {
            bytes.push(b'S');
            put_text(bytes, text);
        }
        Value::Array(list) => {
            bytes.push(b'[');
            put_count(bytes, list.len());
            list.iter().for_each(|item| put(bytes, item));
        }
        Value::Object(map) => {
            bytes.push(b'{');
            for (key, value) in map {
                put_text(bytes, key);
                match (value, item_type(key)) {
                    (Value::Array(list), Some(marker)) => put_typed(bytes, marker, list),
                    _ => put(bytes, value),
                }
            }
            bytes.push(b'}');
        }
    }
}

/// The type of the array under a key.
fn item_type(key: &str) -> Option<u8> {
    match key {
        "base_weights" | "leaf_weights" | "loss_changes" | "split_conditions" | "sum_hessian" => {
            Some(b'd')
        }
        "categories" | "categories_nodes" | "left_children" | "parents" | "right_children"
        | "split_indices" | "feature_segments" | "sorted_idx" => Some(b'l'),
        "categories_segments" | "categories_sizes" => Some(b'L'),
        "default_left" | "split_type" => Some(b'U'),
        _ => None,
    }
}

fn put_typed(bytes: &mut Vec<u8>, marker: u8, list: &[Value]) {
    bytes.extend([b'[', b'$', marker]);
    put_count(bytes, list.len());
    for item in list {
        let integer = || item.as_i64().unwrap_or_default();
        match marker {
            b'd' => bytes.extend((item.as_f64().unwrap_or_default() as f32).to_be_bytes()),
            b'l' => bytes.extend((integer() as i32).to_be_bytes()),
            b'L' => bytes.extend(integer().to_be_bytes()),
            _ => bytes.push(integer() as u8),
        }
    }
}

fn put_number(bytes: &mut Vec<u8>, number: &Number) {
    match number.as_i64() {
        Some(x) => {
            bytes.push(b'L');
            bytes.extend(x.to_be_bytes());
        }
        None => {
            bytes.push(b'D');
            bytes.extend(number.as_f64().unwrap_or_default().to_be_bytes());
        }
    }
}

fn put_count(bytes: &mut Vec<u8>, count: usize) {
    bytes.extend(b"#L");
    bytes.extend((count as i64).to_be_bytes());
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.push(b'L');
    bytes.extend((text.len() as i64).to_be_bytes());
    bytes.extend(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn markers_by_hand() {
        assert_eq!(decode(b"[i\xffU\xffI\xff\xfel\0\0\x01\0]").unwrap(), json!([-1, 255, -2, 256]));
        assert_eq!(decode(b"[$d#U\x02\x3f\x80\0\0\x40\0\0\0").unwrap(), json!([1.0, 2.0]));
        assert_eq!(decode(b"{U\x01aSU\x02hi}").unwrap(), json!({"a": "hi"}));
        assert_eq!(decode(b"{#U\x01U\x01aT").unwrap(), json!({"a": true}));
        assert_eq!(decode(b"d\x7f\xc0\0\0").unwrap(), Value::Null);
    }

    #[test]
    fn what_is_written_reads_back() {
        let value = json!({"trees": [{"split_conditions": [0.5, -2.0], "left_children": [1, -1],
            "default_left": [0, 1], "categories_sizes": [5_000_000_000_i64]}], "name": "\u{e9}", "x": 1e300});
        assert_eq!(decode(&encode(&value)).unwrap(), value);
    }

    #[test]
    fn hostile_bytes_are_refused() {
        let refused: [&[u8]; 10] = [
            b"",
            b"[$d#L\x7f\xff\xff\xff\xff\xff\xff\xff",
            b"[#L\xff\xff\xff\xff\xff\xff\xff\xff",
            b"[$T#l\x7f\xff\xff\xff",
            b"[$d",
            b"SL\0\0\0\0\0\0\0\x05abc",
            b"{U\x01ai\x01U\x01ai\x02}",
            b"[i\x01",
            b"i\x01i\x01",
            b"SU\x02\xff\xff",
        ];
        for bytes in refused {
            assert!(matches!(decode(bytes), Err(Error::Document { .. })), "{bytes:?}");
        }
        assert!(decode(&b"[".repeat(1 << 20)).is_err());
    }
}
