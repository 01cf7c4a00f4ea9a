//! The operator's profiles: a file in the data directory, and what of it counts now.
//!
//! Without the file there are those that are built in. It is written when a profile is put, and
//! then holds all of them; each time it is whole, or as it was before.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use greenwave_core::profile::InvalidCatalogue;
use greenwave_core::{Catalogue, CurrentCatalogue, QosProfile};
use greenwave_wire::camara::profile::operator::{InvalidProfiles, read_file, write_file};

use crate::secrets::write_private;

/// See the module.
pub struct Profiles {
    path: PathBuf,
    catalogue: Arc<CurrentCatalogue>,
    /// Held by the one who changes something, from what it read until that is written.
    changing: Mutex<()>,
}

/// Why the file cannot be used. The message says where it is wrong, and what would be right.
#[derive(Debug, thiserror::Error)]
pub enum ProfilesError {
    /// It cannot be read at all.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It has something in it that is no profile.
    #[error("cannot use the profiles in {}: {source}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Why.
        source: InvalidProfiles,
    },
}

/// Why a profile is not put.
#[derive(Debug, thiserror::Error)]
pub enum PutError {
    /// It cannot be there beside the others.
    #[error(transparent)]
    Catalogue(#[from] InvalidCatalogue),
    /// The file cannot be written, and nothing has changed.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// What became of a profile that was put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// There was none of its name before.
    Added,
    /// There was one.
    Replaced,
}

/// The path of the profiles in a data directory.
#[must_use]
pub fn file_path(directory: &Path) -> PathBuf {
    directory.join("profiles.json")
}

impl Profiles {
    /// Reads the profiles of a data directory.
    pub fn open(directory: &Path) -> Result<Self, ProfilesError> {
        let path = file_path(directory);
        let catalogue = match std::fs::read(&path) {
            Ok(text) => read_file(&text)
                .map_err(|source| ProfilesError::Invalid { path: path.clone(), source })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Catalogue::nokia(),
            Err(source) => return Err(ProfilesError::Read { path, source }),
        };
        let catalogue = Arc::new(CurrentCatalogue::new(catalogue));
        Ok(Self { path, catalogue, changing: Mutex::default() })
    }

    /// What counts now.
    #[must_use]
    pub fn catalogue(&self) -> &Arc<CurrentCatalogue> {
        &self.catalogue
    }

    /// Keeps a profile, in the place of the one that has its name. It counts once it is on the
    /// disk. This waits for the disk.
    pub fn put(&self, profile: QosProfile) -> Result<Put, PutError> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.catalogue.now();
        let put = match before.find(profile.name.as_str()) {
            Some(_) => Put::Replaced,
            None => Put::Added,
        };
        let catalogue = before.with(profile)?;
        let written = write_private(&self.path, &write_file(&catalogue));
        written.map_err(|source| PutError::Write { path: self.path.clone(), source })?;
        self.catalogue.replace(catalogue);
        Ok(put)
    }
}
