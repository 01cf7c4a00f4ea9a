//! The words and times that every version of the API has.

use greenwave_core::{EndReason, QosStatus};
use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;

/// Always three digits after the second: some clients can read three or six, and no others.
pub(crate) fn iso(at: Timestamp) -> String {
    const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(3));
    let mut text = String::with_capacity("2026-11-22T16:27:45.123Z".len());
    // Writing to a string cannot fail.
    let _ = PRINTER.print_timestamp(&at, &mut text);
    text
}

pub(crate) fn status_name(status: QosStatus) -> &'static str {
    match status {
        QosStatus::Requested => "REQUESTED",
        QosStatus::Available => "AVAILABLE",
        QosStatus::Unavailable => "UNAVAILABLE",
    }
}

pub(crate) fn reason_name(reason: EndReason) -> &'static str {
    match reason {
        EndReason::DurationExpired => "DURATION_EXPIRED",
        EndReason::NetworkTerminated => "NETWORK_TERMINATED",
        EndReason::DeleteRequested => "DELETE_REQUESTED",
    }
}
