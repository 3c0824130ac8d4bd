//! Tests of the room `certificate`.
