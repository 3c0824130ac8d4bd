//! Tests of the room `luck`.
