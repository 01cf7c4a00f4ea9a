//! The command `greenwave`.

use std::process::ExitCode;

/// Sessions come and go by the thousand, in small pieces, on several threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    greenwave::cli::main()
}
