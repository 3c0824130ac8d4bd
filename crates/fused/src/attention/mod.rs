//! Exact attention in tiles: memory grows with the length, not with its square.
//!
//! For each head, with queries q_i, keys k_j and values v_j of some width:
//!
//! ```text
//! s_ij = scale q_i . k_j      o_i = sum_j softmax_j(s_ij) mask_ij v_j      log_sum_i = ln sum_j exp(s_ij)
//! ```
//!
//! Where attention is causal, query i sees the keys j <= i; keys that are not visible are seen by no query;
//! `mask` is that of [`Dropout`], site 1, row head x queries + i, column j. The forward pass runs over tiles
//! of keys with a running softmax and keeps the output and `log_sum` alone; the backward pass makes each tile of
//! scores again. Tiles depend on shapes alone and sums are taken in their order, so the same inputs give the same
//! bits with any number of threads.
//! NaN in a query gives NaN in its output; NaN in a key or a value gives NaN to all queries that see it. So does
//! a score of plus infinity; one of minus infinity is a pair that does not see each other. A query that sees no
//! key gets zeros, and a `log_sum` of zero.
//! Cost: 2 products of queries x keys x width forward, 5 backward; memory of 96 x 96 scores and of a head's packed queries a thread.
//! Where there are fewer than 16 heads in all, the backward pass splits keys and adds up to 16 partial gradients
//! of the queries.
//! Reference: Milakov & Gimelshein 2018, "Online normalizer calculation for softmax"; Dao, Fu, Ermon, Rudra &
//! Ré 2022, "FlashAttention", algorithms 1 and 4; Dao 2023, "FlashAttention-2", section 3.

mod backward;
mod forward;
mod head;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::encoder::Dropout;
use crate::error::{Result, expect_len};
use crate::linear::{check_rate, check_sizes};
pub(crate) use backward::{Backward, BackwardMemory};
pub(crate) use forward::{Forward, ForwardMemory};
pub(crate) use head::{Head, Rows, RowsMut};

/// Queries of a task of the forward pass.
const TASK: usize = 256;

/// Tasks of the backward pass at least: fewer heads split their keys.
const TASKS: usize = 16;

/// Attention of a shape.
///
/// ```
/// use fattail_fused::attention::{Attention, Gradients, Inputs, Outputs};
///
/// let attention = Attention { batch: 1, heads: 1, queries: 2, keys: 2, width: 1, ..Attention::default() };
/// let inputs = Inputs { query: &[0.0, 0.0], key: &[1.0, 2.0], value: &[1.0, 3.0], visible: None };
/// let (mut out, mut log_sum) = ([0.0; 2], [0.0; 2]);
/// attention.forward(&inputs, &mut out, &mut log_sum)?;
/// // Queries of zero look at both keys alike.
/// assert_eq!(out, [2.0, 2.0]);
///
/// let (mut query, mut key, mut value) = ([0.0; 2], [0.0; 2], [0.0; 2]);
/// let outputs = Outputs { out: &out, log_sum: &log_sum, grad_out: &[1.0, 1.0] };
/// let gradients = Gradients { query: &mut query, key: &mut key, value: &mut value };
/// attention.backward(&inputs, &outputs, gradients)?;
/// assert_eq!(value, [1.0, 1.0]);
/// # Ok::<(), fattail_fused::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Attention {
    /// Samples.
    pub batch: usize,
    /// Heads of a sample.
    pub heads: usize,
    /// Queries of a head.
    pub queries: usize,
    /// Keys and values of a head.
    pub keys: usize,
    /// Width of a query, a key and a value.
    pub width: usize,
    /// Whether query i sees the keys j <= i alone.
    pub causal: bool,
    /// What products are multiplied by; one over the root of the width where it is not given.
    pub scale: Option<f32>,
    /// The share of softmax weights that is dropped, in 0 to 1 without 1.
    pub dropout: f32,
    /// The seed of dropout.
    pub seed: u64,
}

impl Default for Attention {
    fn default() -> Self {
        Self {
            batch: 1,
            heads: 1,
            queries: 1,
            keys: 1,
            width: 1,
            causal: false,
            scale: None,
            dropout: 0.0,
            seed: 0,
        }
    }
}

/// What attention looks at, each of batch x heads x length x width, row-major.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// Queries.
    pub query: &'a [f32],
    /// Keys.
    pub key: &'a [f32],
    /// Values.
    pub value: &'a [f32],
    /// Whether a key may be seen: batch x keys; all where it is not given.
    pub visible: Option<&'a [bool]>,
}

/// What the forward pass wrote, and the gradient that comes back.
#[derive(Debug, Clone, Copy)]
pub struct Outputs<'a> {
    /// Output: batch x heads x queries x width.
    pub out: &'a [f32],
    /// Logarithms of the softmax's sums: batch x heads x queries.
    pub log_sum: &'a [f32],
    /// Gradient of the output.
    pub grad_out: &'a [f32],
}

/// Gradients to write, shaped as the inputs.
#[derive(Debug)]
pub struct Gradients<'a> {
    /// Of the queries.
    pub query: &'a mut [f32],
    /// Of the keys.
    pub key: &'a mut [f32],
    /// Of the values.
    pub value: &'a mut [f32],
}

impl Attention {
    /// Refuses what cannot be computed.
    ///
    /// # Errors
    ///
    /// `Error::Setting` where a size is zero or dropout is not a share.
    pub fn check(&self) -> Result<()> {
        let sizes = [
            ("batch", self.batch),
            ("heads", self.heads),
            ("queries", self.queries),
            ("keys", self.keys),
            ("width", self.width),
        ];
        check_sizes(&sizes)?;
        check_rate("dropout", self.dropout)
    }

    /// Writes the output (batch x heads x queries x width) and the logarithms (batch x heads x queries).
    ///
    /// # Errors
    ///
    /// What [`Attention::check`] refuses; `Error::Length` where a slice has another length.
    pub fn forward(&self, inputs: &Inputs<'_>, out: &mut [f32], log_sum: &mut [f32]) -> Result<()> {
        self.check()?;
        self.expect_inputs(inputs)?;
        expect_len("out", out.len(), self.rows() * self.width)?;
        expect_len("log_sum", log_sum.len(), self.rows())?;
        let (queries, width) = (self.queries, self.width);
        let memory = || ForwardMemory::new(width, queries, self.keys);
        let heads =
            out.par_chunks_mut(queries * width).zip(log_sum.par_chunks_mut(queries)).enumerate();
        if queries <= TASK {
            heads.for_each_init(memory, |memory, (number, (out, log_sum))| {
                self.forward_task(inputs, number, 0, (out, log_sum), memory);
            });
            return Ok(());
        }
        heads.for_each(|(number, (out, log_sum))| {
            let tasks =
                out.par_chunks_mut(TASK * width).zip(log_sum.par_chunks_mut(TASK)).enumerate();
            tasks.for_each_init(memory, |memory, (task, results)| {
                self.forward_task(inputs, number, task * TASK, results, memory);
            });
        });
        Ok(())
    }

    /// Writes the gradients of queries, keys and values.
    ///
    /// # Errors
    ///
    /// What [`Attention::check`] refuses; `Error::Length` where a slice has another length.
    pub fn backward(
        &self,
        inputs: &Inputs<'_>,
        outputs: &Outputs<'_>,
        gradients: Gradients<'_>,
    ) -> Result<()> {
        self.check()?;
        self.expect_inputs(inputs)?;
        expect_len("out", outputs.out.len(), self.rows() * self.width)?;
        expect_len("log_sum", outputs.log_sum.len(), self.rows())?;
        expect_len("grad_out", outputs.grad_out.len(), self.rows() * self.width)?;
        expect_len("the query's gradient", gradients.query.len(), self.rows() * self.width)?;
        expect_len("the key's gradient", gradients.key.len(), inputs.key.len())?;
        expect_len("the value's gradient", gradients.value.len(), inputs.key.len())?;
        let (span, splits) = self.splits();
        if splits == 1 {
            self.backward_heads(inputs, outputs, gradients, span);
            return Ok(());
        }
        let head = self.queries * self.width;
        let mut partial = vec![0.0; gradients.query.len() * splits];
        let Gradients { query, key, value } = gradients;
        self.backward_heads(inputs, outputs, Gradients { query: &mut partial, key, value }, span);
        query.par_chunks_mut(head).zip(partial.par_chunks(head * splits)).for_each(
            |(sum, partial)| {
                sum.copy_from_slice(&partial[..head]);
                for partial in partial[head..].chunks_exact(head) {
                    for (sum, partial) in sum.iter_mut().zip(partial) {
                        *sum += partial;
                    }
                }
            },
        );
        Ok(())
    }

    /// Bytes that the forward pass leaves to the backward pass, beside the inputs: the output and the logarithms.
    #[must_use]
    pub fn saved_bytes(&self) -> usize {
        4 * self.rows() * (self.width + 1)
    }

    /// Bytes of memory that either pass takes while it runs, at most.
    #[must_use]
    pub fn workspace_bytes(&self, threads: usize) -> usize {
        let splits = self.splits().1;
        let partial = if splits > 1 { self.rows() * self.width * splits } else { 0 };
        4 * (threads * BackwardMemory::len(self.width, self.queries, self.keys) + partial)
    }

    fn rows(&self) -> usize {
        self.batch * self.heads * self.queries
    }

    /// Keys of a task of the backward pass, and tasks of a head: by the shape, never by the threads.
    fn splits(&self) -> (usize, usize) {
        let tiles = self.keys.div_ceil(head::KEYS);
        let wanted = TASKS.div_ceil(self.batch * self.heads).min(tiles);
        let span = tiles.div_ceil(wanted) * head::KEYS;
        (span, self.keys.div_ceil(span))
    }

    fn expect_inputs(&self, inputs: &Inputs<'_>) -> Result<()> {
        expect_len("query", inputs.query.len(), self.rows() * self.width)?;
        let keys = self.batch * self.heads * self.keys * self.width;
        expect_len("key", inputs.key.len(), keys)?;
        expect_len("value", inputs.value.len(), keys)?;
        let visible = inputs.visible.map_or(self.batch * self.keys, <[bool]>::len);
        expect_len("visible", visible, self.batch * self.keys)
    }

    fn head<'a>(&self, inputs: &Inputs<'a>, number: usize) -> Head<'a> {
        let rows = |values: &'a [f32], length: usize| {
            let size = length * self.width;
            Rows { values: &values[number * size..][..size], stride: self.width }
        };
        let sample = number / self.heads;
        Head {
            query: rows(inputs.query, self.queries),
            key: rows(inputs.key, self.keys),
            value: rows(inputs.value, self.keys),
            queries: self.queries,
            keys: self.keys,
            width: self.width,
            scale: self.scale.unwrap_or(1.0 / (self.width as f32).sqrt()),
            causal: self.causal,
            visible: inputs.visible.map(|visible| &visible[sample * self.keys..][..self.keys]),
            dropout: Dropout::new(self.dropout, self.seed),
            number: number as u64,
        }
    }

    /// Some queries of a head, as many as there are logarithms.
    fn forward_task(
        &self,
        inputs: &Inputs<'_>,
        number: usize,
        from: usize,
        (out, log_sum): (&mut [f32], &mut [f32]),
        memory: &mut ForwardMemory,
    ) {
        let to = from + log_sum.len();
        let out = RowsMut { values: out, stride: self.width };
        let log_sum = RowsMut { values: log_sum, stride: 1 };
        pulp::Arch::new().dispatch(Forward {
            head: self.head(inputs, number),
            from,
            to,
            out,
            log_sum,
            memory,
        });
    }

    /// All heads, `span` keys a task; each task writes a gradient of its head's queries.
    fn backward_heads(
        &self,
        inputs: &Inputs<'_>,
        outputs: &Outputs<'_>,
        gradients: Gradients<'_>,
        span: usize,
    ) {
        let (size, width) = (self.queries * self.width, self.width);
        let splits = self.keys.div_ceil(span);
        let memory = || BackwardMemory::new(width, self.queries, self.keys);
        let task =
            |memory: &mut BackwardMemory, number: usize, from: usize, gradients: Gradients<'_>| {
                let rows = |values, width| Rows { values, stride: width };
                pulp::Arch::new().dispatch(Backward {
                    head: self.head(inputs, number),
                    from,
                    to: from + gradients.key.len() / width,
                    out: rows(&outputs.out[number * size..][..size], width),
                    log_sum: rows(&outputs.log_sum[number * self.queries..][..self.queries], 1),
                    grad_out: rows(&outputs.grad_out[number * size..][..size], width),
                    grad_query: RowsMut { values: gradients.query, stride: width },
                    grad_key: RowsMut { values: gradients.key, stride: width },
                    grad_value: RowsMut { values: gradients.value, stride: width },
                    memory,
                });
            };
        let keys = self.keys * width;
        let heads = gradients.query.par_chunks_mut(size * splits);
        let heads =
            heads.zip(gradients.key.par_chunks_mut(keys)).zip(gradients.value.par_chunks_mut(keys));
        if splits == 1 {
            heads.enumerate().for_each_init(memory, |memory, (number, ((query, key), value))| {
                task(memory, number, 0, Gradients { query, key, value });
            });
            return;
        }
        heads.enumerate().for_each(|(number, ((query, key), value))| {
            let tasks = query.par_chunks_mut(size).zip(key.par_chunks_mut(span * width));
            let tasks = tasks.zip(value.par_chunks_mut(span * width)).enumerate();
            tasks.for_each_init(memory, |memory, (split, ((query, key), value))| {
                task(memory, number, split * span, Gradients { query, key, value });
            });
        });
    }
}
