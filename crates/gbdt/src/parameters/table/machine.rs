//! Parameters of networks and accelerators: one processor trains.

use super::super::entry::{Entry, ignored, unsupported};

const ONE_MACHINE: &str = "training runs on one machine";
const PROCESSOR: &str = "training runs on the processor";

pub(super) const ROWS: &[Entry] = &[
    unsupported("num_machines", &["num_machine"], "1", ONE_MACHINE),
    ignored("local_listen_port", &["local_port", "port"], ONE_MACHINE).text("12400"),
    ignored("time_out", &[], ONE_MACHINE).text("120"),
    ignored("machine_list_filename", &["machine_list_file", "machine_list", "mlist"], ONE_MACHINE)
        .text(""),
    ignored("machines", &["workers", "nodes"], ONE_MACHINE).text(""),
    ignored("gpu_platform_id", &[], PROCESSOR).text("-1"),
    ignored("gpu_device_id", &[], PROCESSOR).text("-1"),
    ignored("gpu_device_id_list", &[], PROCESSOR).text(""),
    ignored("gpu_use_dp", &[], PROCESSOR).text("0"),
    ignored("num_gpu", &[], PROCESSOR).text("1"),
];
