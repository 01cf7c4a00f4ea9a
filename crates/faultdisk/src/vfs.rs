//! The disk as SQLite sees it: opening, deleting and finding files.

mod file;

use std::ffi::{CStr, CString, c_char, c_int};
use std::path::{Path, PathBuf};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::SystemTime;

use rusqlite::ffi;

use self::file::{Handle, OpenFile};
use crate::disk::{Operation, State};
use crate::image::Found;

/// A VFS that SQLite knows, under a name that no other has.
///
/// SQLite may use it for as long as a database is open on it, which can be longer than this lives.
/// So what SQLite sees of it is never freed: some hundred bytes in a test's process.
#[derive(Debug)]
pub(crate) struct Registration {
    name: String,
    vfs: NonNull<ffi::sqlite3_vfs>,
}

// SAFETY: the pointer is only given to `sqlite3_vfs_unregister`, which takes SQLite's own lock.
unsafe impl Send for Registration {}
// SAFETY: as above; nothing is reached through a shared reference.
unsafe impl Sync for Registration {}

/// What each function of the VFS finds in `pAppData`.
struct Application {
    /// The operating system's.
    real: *mut ffi::sqlite3_vfs,
    state: Weak<State>,
}

impl Registration {
    pub(crate) fn new(state: Weak<State>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("greenwave-faultdisk-{}", NEXT.fetch_add(1, Ordering::SeqCst));
        // A name without zeros always is one.
        let c_name = CString::new(name.as_str()).unwrap_or_default();
        // SAFETY: it initialises SQLite if need be; the default VFS is there from then on.
        let real = unsafe { ffi::sqlite3_vfs_find(std::ptr::null()) };
        let application = Box::into_raw(Box::new(Application { real, state }));
        // SAFETY: `real` is what SQLite has just found, and not changed by anybody.
        let (size, longest_path) = unsafe { ((*real).szOsFile, (*real).mxPathname) };
        let vfs = Box::leak(Box::new(ffi::sqlite3_vfs {
            iVersion: 2,
            szOsFile: size_of::<OpenFile>() as c_int + size,
            mxPathname: longest_path,
            pNext: std::ptr::null_mut(),
            zName: c_name.into_raw(),
            pAppData: application.cast(),
            xOpen: Some(open),
            xDelete: Some(delete),
            xAccess: Some(access),
            xFullPathname: Some(full_pathname),
            xDlOpen: None,
            xDlError: None,
            xDlSym: None,
            xDlClose: None,
            xRandomness: Some(randomness),
            xSleep: Some(sleep),
            xCurrentTime: Some(current_time),
            xGetLastError: Some(get_last_error),
            xCurrentTimeInt64: Some(current_time_int64),
            xSetSystemCall: None,
            xGetSystemCall: None,
            xNextSystemCall: None,
        }));
        // SAFETY: all of it lives for ever, and its functions keep SQLite's contract.
        unsafe { ffi::sqlite3_vfs_register(vfs, 0) };
        Self { name, vfs: NonNull::from(vfs) }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        // SAFETY: it is the one that was registered, and it stays where it is.
        unsafe { ffi::sqlite3_vfs_unregister(self.vfs.as_ptr()) };
    }
}

/// Calls a function of the operating system's VFS with the same arguments.
macro_rules! forward {
    ($vfs:expr, $function:ident $(, $argument:expr)*) => {{
        // SAFETY: `pAppData` of our VFS always points to what `Registration::new` put there; the
        // arguments are SQLite's own, and of the types that the function takes.
        unsafe {
            let real = (*(*$vfs).pAppData.cast::<Application>()).real;
            match (*real).$function {
                Some(function) => function(real $(, $argument)*),
                None => ffi::SQLITE_ERROR,
            }
        }
    }};
}

/// What the VFS belongs to, as long as the test holds it.
fn state_of(vfs: *mut ffi::sqlite3_vfs) -> Option<Arc<State>> {
    // SAFETY: as in `forward`.
    unsafe { (*(*vfs).pAppData.cast::<Application>()).state.upgrade() }
}

unsafe extern "C" fn open(
    vfs: *mut ffi::sqlite3_vfs,
    path: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    let real = file::real(file);
    // SAFETY: there is room for both. A file whose methods are nothing is not open.
    unsafe {
        (*file).pMethods = std::ptr::null();
        (*real).pMethods = std::ptr::null();
    }
    let Some(state) = state_of(vfs) else { return ffi::SQLITE_CANTOPEN };
    // SAFETY: SQLite gives a path that ends with a zero and outlives the file, or none.
    let named = (!path.is_null()).then(|| unsafe { CStr::from_ptr(path) });
    // Of a slow disk's files nothing has to be known.
    let named = named.filter(|_| state.slower_by().is_none());
    let path_of_file = named.and_then(|path| path.to_str().ok()).map(PathBuf::from);
    let found = path_of_file.as_deref().map(find).unwrap_or_default();
    let code = forward!(vfs, xOpen, path, real, flags, out_flags);
    if code != ffi::SQLITE_OK {
        file::close_if_open(real);
        return code;
    }
    let is_database = flags & ffi::SQLITE_OPEN_MAIN_DB != 0;
    let inode = named.and_then(name_of).map(|name| state.images().open(name, is_database, found));
    let logs = ffi::SQLITE_OPEN_WAL | ffi::SQLITE_OPEN_MAIN_JOURNAL;
    // As the operating system's does: the first sync of a log that may be new syncs its directory.
    let may_be_new = flags & ffi::SQLITE_OPEN_CREATE != 0 && flags & logs != 0;
    let syncs_directory = AtomicBool::new(may_be_new);
    OpenFile::put(file, Handle { state, inode, path: path_of_file, syncs_directory });
    ffi::SQLITE_OK
}

/// What is in a file. When one is closed, its time is set to the beginning of all times, so that a
/// later one is somebody else's.
fn find(path: &Path) -> Found {
    let Ok(content) = std::fs::read(path) else { return Found::default() };
    let modified = path.metadata().and_then(|metadata| metadata.modified());
    Found { content, by_others: modified.is_ok_and(|time| time != SystemTime::UNIX_EPOCH) }
}

unsafe extern "C" fn delete(
    vfs: *mut ffi::sqlite3_vfs,
    path: *const c_char,
    sync_directory: c_int,
) -> c_int {
    let Some(state) = state_of(vfs) else { return ffi::SQLITE_IOERR_DELETE };
    if state.slower_by().is_some() {
        return forward!(vfs, xDelete, path, sync_directory);
    }
    state.announce(Operation::Delete);
    let code = forward!(vfs, xDelete, path, 0);
    if code != ffi::SQLITE_OK {
        return code;
    }
    // SAFETY: the path that was deleted is one that ends with a zero.
    if let Some(name) = name_of(unsafe { CStr::from_ptr(path) }) {
        let mut images = state.images();
        images.remove(name);
        if sync_directory != 0 {
            images.sync_directory();
        }
    }
    state.changed();
    ffi::SQLITE_OK
}

/// A file's name without its directory: there is only one.
fn name_of(path: &CStr) -> Option<&str> {
    Path::new(path.to_str().ok()?).file_name()?.to_str()
}

unsafe extern "C" fn access(
    vfs: *mut ffi::sqlite3_vfs,
    path: *const c_char,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    forward!(vfs, xAccess, path, flags, out)
}

unsafe extern "C" fn full_pathname(
    vfs: *mut ffi::sqlite3_vfs,
    path: *const c_char,
    size: c_int,
    out: *mut c_char,
) -> c_int {
    forward!(vfs, xFullPathname, path, size, out)
}

unsafe extern "C" fn randomness(
    vfs: *mut ffi::sqlite3_vfs,
    size: c_int,
    out: *mut c_char,
) -> c_int {
    forward!(vfs, xRandomness, size, out)
}

unsafe extern "C" fn sleep(vfs: *mut ffi::sqlite3_vfs, microseconds: c_int) -> c_int {
    forward!(vfs, xSleep, microseconds)
}

unsafe extern "C" fn current_time(vfs: *mut ffi::sqlite3_vfs, out: *mut f64) -> c_int {
    forward!(vfs, xCurrentTime, out)
}

unsafe extern "C" fn current_time_int64(
    vfs: *mut ffi::sqlite3_vfs,
    out: *mut ffi::sqlite3_int64,
) -> c_int {
    forward!(vfs, xCurrentTimeInt64, out)
}

unsafe extern "C" fn get_last_error(
    vfs: *mut ffi::sqlite3_vfs,
    size: c_int,
    out: *mut c_char,
) -> c_int {
    forward!(vfs, xGetLastError, size, out)
}
