//! The numbers by which the ledger keeps statuses and reasons. They are never given a new meaning.

use greenwave_core::{EndReason, QosStatus};

pub(in crate::sqlite) fn reason_code(reason: EndReason) -> u8 {
    match reason {
        EndReason::DurationExpired => 1,
        EndReason::NetworkTerminated => 2,
        EndReason::DeleteRequested => 3,
    }
}

pub(in crate::sqlite) fn reason_of(code: u8) -> Option<EndReason> {
    match code {
        1 => Some(EndReason::DurationExpired),
        2 => Some(EndReason::NetworkTerminated),
        3 => Some(EndReason::DeleteRequested),
        _ => None,
    }
}

pub(in crate::sqlite) fn status_code(status: QosStatus) -> u8 {
    match status {
        QosStatus::Requested => 1,
        QosStatus::Available => 2,
        QosStatus::Unavailable => 3,
    }
}

pub(in crate::sqlite) fn status_of(code: u8) -> Option<QosStatus> {
    match code {
        1 => Some(QosStatus::Requested),
        2 => Some(QosStatus::Available),
        3 => Some(QosStatus::Unavailable),
        _ => None,
    }
}
