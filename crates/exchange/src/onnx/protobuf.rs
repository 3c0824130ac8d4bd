//! The encoding of protocol buffers, as far as ONNX needs it.
//!
//! A field is a key `8 number + 2` and a length before its bytes, or `8 number` before a varint.
//! Reference: protobuf.dev, "Encoding".

/// A message: fields by number.
#[derive(Debug, Default)]
pub(super) struct Message {
    bytes: Vec<u8>,
}

impl Message {
    pub(super) fn bytes(self) -> Vec<u8> {
        self.bytes
    }

    pub(super) fn number(&mut self, field: u64, value: u64) {
        varint(&mut self.bytes, field << 3);
        varint(&mut self.bytes, value);
    }

    pub(super) fn text(&mut self, field: u64, text: &str) {
        self.raw(field, text.as_bytes());
    }

    pub(super) fn message(&mut self, field: u64, message: &Self) {
        self.raw(field, &message.bytes);
    }

    /// Integers without marks between them.
    pub(super) fn numbers(&mut self, field: u64, values: &[u64]) {
        let mut packed = Vec::with_capacity(values.len());
        values.iter().for_each(|&value| varint(&mut packed, value));
        self.raw(field, &packed);
    }

    /// Numbers of single precision without marks between them.
    pub(super) fn singles(&mut self, field: u64, values: &[f32]) {
        let packed: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.raw(field, &packed);
    }

    fn raw(&mut self, field: u64, bytes: &[u8]) {
        varint(&mut self.bytes, field << 3 | 2);
        varint(&mut self.bytes, bytes.len() as u64);
        self.bytes.extend(bytes);
    }
}

/// Seven bits a byte, the lowest first; the eighth says that more follow.
fn varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 128 {
        bytes.push(value as u8 | 128);
        value >>= 7;
    }
    bytes.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_documentation() {
        let mut message = Message::default();
        message.number(1, 150);
        message.text(2, "testing");
        assert_eq!(message.bytes(), b"\x08\x96\x01\x12\x07testing");
        let mut packed = Message::default();
        packed.numbers(6, &[3, 270, 86_942]);
        assert_eq!(packed.bytes(), b"\x32\x06\x03\x8e\x02\x9e\xa7\x05");
    }
}
