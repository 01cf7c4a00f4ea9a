//! An open file: what changes it is remembered, and all is handed on.

use std::ffi::{c_int, c_void};
use std::fs::OpenOptions;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use rusqlite::ffi;

use crate::disk::{Fault, Operation, State};
use crate::image::Inode;

/// What SQLite holds. The operating system's file lies right behind it, in the same memory.
#[repr(C)]
pub(super) struct OpenFile {
    methods: ffi::sqlite3_file,
    handle: *mut Handle,
}

/// What we know of an open file.
pub(super) struct Handle {
    pub(super) state: Arc<State>,
    /// `None` for a temporary one, which nobody looks for after a power cut, and for all of a slow
    /// disk.
    pub(super) inode: Option<Inode>,
    pub(super) path: Option<PathBuf>,
    /// Whether the next sync makes the file's name durable too.
    pub(super) syncs_directory: AtomicBool,
}

/// Version 2: there is an index of the log in shared memory, but no mapping of the database.
static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

impl OpenFile {
    /// Makes `file` ours. It is one that SQLite has given us to open.
    pub(super) fn put(file: *mut ffi::sqlite3_file, handle: Handle) {
        let handle = Box::into_raw(Box::new(handle));
        let methods = ffi::sqlite3_file { pMethods: &raw const METHODS };
        // SAFETY: SQLite's memory for a file has the size that we asked for, and its alignment.
        unsafe { file.cast::<Self>().write(Self { methods, handle }) };
    }
}

/// Where the operating system's file lies.
pub(super) fn real(file: *mut ffi::sqlite3_file) -> *mut ffi::sqlite3_file {
    // SAFETY: we have asked for as much memory as both of them take.
    unsafe { file.cast::<OpenFile>().add(1).cast() }
}

/// Closes one of the operating system's files that may not have been opened.
pub(super) fn close_if_open(real: *mut ffi::sqlite3_file) {
    // SAFETY: opening has set this, or left it as nothing.
    unsafe {
        if let Some(methods) = (*real).pMethods.as_ref()
            && let Some(close) = methods.xClose
        {
            close(real);
        }
    }
}

fn handle<'a>(file: *mut ffi::sqlite3_file) -> &'a Handle {
    // SAFETY: SQLite calls these functions for files that `OpenFile::put` has made, until it has
    // closed them, and never from two threads at once.
    unsafe { &*(*file.cast::<OpenFile>()).handle }
}

fn code_of(fault: Fault) -> c_int {
    match fault {
        Fault::Full => ffi::SQLITE_FULL,
        Fault::SyncFailed => ffi::SQLITE_IOERR_FSYNC,
    }
}

/// Calls a function of the operating system's file with the same arguments.
macro_rules! forward {
    ($file:expr, $function:ident $(, $argument:expr)*) => {{
        let real = real($file);
        // SAFETY: the real file is open for as long as ours is; the arguments are SQLite's own, and
        // of the types that the function takes.
        unsafe {
            match (*(*real).pMethods).$function {
                Some(function) => function(real $(, $argument)*),
                None => ffi::SQLITE_IOERR,
            }
        }
    }};
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    let code = forward!(file, xClose);
    // SAFETY: it was made by `OpenFile::put`, and SQLite closes a file once.
    let handle = unsafe { Box::from_raw((*file.cast::<OpenFile>()).handle) };
    if let Some(inode) = handle.inode {
        handle.state.images().close(inode);
    }
    // It may have been deleted since.
    if let Some(file) = handle.path.and_then(|path| OpenOptions::new().append(true).open(path).ok())
    {
        let _ = file.set_modified(SystemTime::UNIX_EPOCH);
    }
    code
}

unsafe extern "C" fn read(
    file: *mut ffi::sqlite3_file,
    into: *mut c_void,
    count: c_int,
    at: ffi::sqlite3_int64,
) -> c_int {
    forward!(file, xRead, into, count, at)
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    from: *const c_void,
    count: c_int,
    at: ffi::sqlite3_int64,
) -> c_int {
    let Handle { state, inode: Some(inode), .. } = handle(file) else {
        return forward!(file, xWrite, from, count, at);
    };
    state.announce(Operation::Write);
    // SAFETY: SQLite gives so many bytes, and changes none of them in the meantime.
    let bytes = unsafe { std::slice::from_raw_parts(from.cast::<u8>(), count as usize) };
    let start = at.unsigned_abs();
    if let Err(fault) = state.has_room(*inode, start + bytes.len() as u64) {
        return code_of(fault);
    }
    let code = forward!(file, xWrite, from, count, at);
    if code == ffi::SQLITE_OK {
        state.images().write(*inode, start, bytes);
        state.changed();
    }
    code
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, length: ffi::sqlite3_int64) -> c_int {
    let Handle { state, inode: Some(inode), .. } = handle(file) else {
        return forward!(file, xTruncate, length);
    };
    state.announce(Operation::Truncate);
    let code = forward!(file, xTruncate, length);
    if code == ffi::SQLITE_OK {
        state.images().set_length(*inode, length.unsigned_abs());
        state.changed();
    }
    code
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, flags: c_int) -> c_int {
    if let Some(by) = handle(file).state.slower_by() {
        let code = forward!(file, xSync, flags);
        std::thread::sleep(by);
        handle(file).state.synced_slowly();
        return code;
    }
    let Handle { state, inode: Some(inode), syncs_directory, .. } = handle(file) else {
        return ffi::SQLITE_OK;
    };
    state.announce(Operation::Sync);
    match state.sync(*inode, syncs_directory.load(Ordering::SeqCst)) {
        Ok(()) => {
            syncs_directory.store(false, Ordering::SeqCst);
            ffi::SQLITE_OK
        }
        Err(fault) => code_of(fault),
    }
}

unsafe extern "C" fn file_size(
    file: *mut ffi::sqlite3_file,
    out: *mut ffi::sqlite3_int64,
) -> c_int {
    forward!(file, xFileSize, out)
}

unsafe extern "C" fn lock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    forward!(file, xLock, level)
}

unsafe extern "C" fn unlock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    forward!(file, xUnlock, level)
}

unsafe extern "C" fn check_reserved_lock(file: *mut ffi::sqlite3_file, out: *mut c_int) -> c_int {
    forward!(file, xCheckReservedLock, out)
}

unsafe extern "C" fn file_control(
    file: *mut ffi::sqlite3_file,
    operation: c_int,
    argument: *mut c_void,
) -> c_int {
    forward!(file, xFileControl, operation, argument)
}

unsafe extern "C" fn sector_size(file: *mut ffi::sqlite3_file) -> c_int {
    forward!(file, xSectorSize)
}

/// Of all that a disk may promise only what any does: a write changes nothing beside it.
unsafe extern "C" fn device_characteristics(file: *mut ffi::sqlite3_file) -> c_int {
    forward!(file, xDeviceCharacteristics) & ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

unsafe extern "C" fn shm_map(
    file: *mut ffi::sqlite3_file,
    region: c_int,
    size: c_int,
    extend: c_int,
    out: *mut *mut c_void,
) -> c_int {
    forward!(file, xShmMap, region, size, extend, out)
}

unsafe extern "C" fn shm_lock(
    file: *mut ffi::sqlite3_file,
    offset: c_int,
    count: c_int,
    flags: c_int,
) -> c_int {
    forward!(file, xShmLock, offset, count, flags)
}

unsafe extern "C" fn shm_barrier(file: *mut ffi::sqlite3_file) {
    let real = real(file);
    // SAFETY: as in `forward`.
    unsafe {
        if let Some(barrier) = (*(*real).pMethods).xShmBarrier {
            barrier(real);
        }
    }
}

unsafe extern "C" fn shm_unmap(file: *mut ffi::sqlite3_file, delete: c_int) -> c_int {
    forward!(file, xShmUnmap, delete)
}
