//! Cells, and which sessions they admit.
//!
//! A device is always in the same cell. There are many ordinary cells, and one that is crowded, so
//! that an application can be shown a refusal: devices whose name begins with `stadium` are in it.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use greenwave_core::Order;
use serde::{Deserialize, Serialize};

/// A cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CellName {
    /// One of 65,536 ordinary cells.
    City(u16),
    /// The crowded one.
    Stadium,
}

impl fmt::Display for CellName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::City(number) => write!(f, "city-{number}"),
            Self::Stadium => f.write_str("stadium"),
        }
    }
}

/// A text is no cell's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a cell is stadium, or city-0 to city-65535")]
pub struct InvalidCellName;

impl FromStr for CellName {
    type Err = InvalidCellName;

    /// Reads what is shown.
    fn from_str(text: &str) -> Result<Self, InvalidCellName> {
        if text == "stadium" {
            return Ok(Self::Stadium);
        }
        let number = text.strip_prefix("city-").and_then(|number| number.parse().ok());
        number.map(Self::City).ok_or(InvalidCellName)
    }
}

/// What a cell can give.
struct Capacity {
    /// To flows with a guaranteed rate, of what 60 MHz carry: 70 % of 400 and 100 Mbit/s.
    guaranteed_downlink_bps: u64,
    guaranteed_uplink_bps: u64,
    /// Sessions of any profile.
    sessions: u32,
}

impl CellName {
    /// The cell that the device of an order is in.
    pub(super) fn of(order: &Order) -> Self {
        let name = order.asked.device.network_access_identifier();
        if name.is_some_and(|name| name.local().starts_with("stadium")) {
            return Self::Stadium;
        }
        let [.., high, low] = order.device.0;
        Self::City(u16::from_be_bytes([high, low]))
    }

    fn capacity(self) -> Capacity {
        Capacity {
            guaranteed_downlink_bps: 280_000_000,
            guaranteed_uplink_bps: 70_000_000,
            sessions: match self {
                Self::City(_) => 2_000,
                Self::Stadium => 3,
            },
        }
    }
}

/// What a session takes of its cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Share {
    pub(super) cell: CellName,
    /// The guaranteed rates; 0 for a session that only goes first.
    pub(super) downlink_bps: u64,
    pub(super) uplink_bps: u64,
}

/// What of each cell is taken. A cell that nobody uses takes no memory.
#[derive(Debug, Default)]
pub(super) struct Cells(HashMap<CellName, Load>);

#[derive(Clone, Copy, Debug, Default)]
struct Load {
    downlink_bps: u64,
    uplink_bps: u64,
    sessions: u32,
}

impl Cells {
    /// Takes the share if the cell has it to give.
    pub(super) fn admit(&mut self, share: Share) -> bool {
        let capacity = share.cell.capacity();
        let load = self.0.get(&share.cell).copied().unwrap_or_default();
        let fits = load.sessions < capacity.sessions
            && load.downlink_bps + share.downlink_bps <= capacity.guaranteed_downlink_bps
            && load.uplink_bps + share.uplink_bps <= capacity.guaranteed_uplink_bps;
        if fits {
            self.take(share);
        }
        fits
    }

    /// Takes the share, whether or not it fits: what is installed is installed.
    pub(super) fn take(&mut self, share: Share) {
        let load = self.0.entry(share.cell).or_default();
        load.downlink_bps += share.downlink_bps;
        load.uplink_bps += share.uplink_bps;
        load.sessions += 1;
    }

    pub(super) fn give_back(&mut self, share: Share) {
        let Some(load) = self.0.get_mut(&share.cell) else { return };
        load.downlink_bps -= share.downlink_bps;
        load.uplink_bps -= share.uplink_bps;
        load.sessions -= 1;
        if load.sessions == 0 {
            self.0.remove(&share.cell);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(cell: CellName, mbps: u64) -> Share {
        Share { cell, downlink_bps: mbps * 1_000_000, uplink_bps: mbps * 1_000_000 }
    }

    #[test]
    fn a_cell_guarantees_no_more_than_it_has() {
        let mut cells = Cells::default();
        let city = CellName::City(7);
        assert!(cells.admit(share(city, 60)));
        assert!(!cells.admit(share(city, 11)), "70 Mbit/s is what there is uplink");
        assert!(cells.admit(share(city, 10)));
        assert!(cells.admit(share(city, 0)), "what only goes first needs no room");
        assert!(cells.admit(share(CellName::City(8), 70)), "another cell is another cell");
        cells.give_back(share(city, 60));
        assert!(cells.admit(share(city, 55)));
    }

    #[test]
    fn a_cells_name_is_read_as_it_is_shown() {
        for cell in [CellName::Stadium, CellName::City(0), CellName::City(65_535)] {
            assert_eq!(cell.to_string().parse(), Ok(cell));
        }
        for bad in ["", "city", "city-", "city-65536", "7", "Stadium"] {
            assert_eq!(bad.parse::<CellName>(), Err(InvalidCellName), "{bad:?}");
        }
    }

    #[test]
    fn a_crowded_cell_takes_few_sessions() {
        let mut cells = Cells::default();
        let stadium = share(CellName::Stadium, 0);
        assert_eq!((0..5).filter(|_| cells.admit(stadium)).count(), 3);
        cells.give_back(stadium);
        assert!(cells.admit(stadium));
    }

    #[test]
    fn an_empty_cell_takes_no_memory() {
        let mut cells = Cells::default();
        let city = share(CellName::City(7), 1);
        cells.take(city);
        cells.give_back(city);
        assert!(cells.0.is_empty());
    }
}
