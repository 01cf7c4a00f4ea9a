# Where the processor time of creates goes: reads `perf script -F comm,ip,sym --no-inline` and sums
# samples by subject. A sample belongs to the innermost frame that a rule knows, so what the
# allocator or the kernel does counts for whoever called it. See docs/performance.md.

function subject(frame) {
    # Named for its type, not for who drops it.
    if (frame ~ /drop_in_place/) return ""
    if (frame ~ /do_fsync/) return "ledger: sync (kernel)"
    if (frame ~ /sys_pwrite64/) return "ledger: log written (kernel)"
    if (frame ~ /session_info|http::answer/) return "answer: JSON"
    if (frame ~ /wire::json|wire::v0|http::body/) return "request: body and JSON"
    if (frame ~ /authenticate|greenwave::auth/) return "request: key"
    if (frame ~ /http::observe|middleware::from_fn/) return "request: correlator, headers, limit"
    if (frame ~ /directory::|hash_identifier|naming::/) return "create: device, hashed, found"
    if (frame ~ /engine::agenda/) return "engine: agenda of deadlines"
    if (frame ~ /greenwave_network/) return "network: the simulator itself"
    if (frame ~ /engine::network/) return "network: orders out, reports in"
    if (frame ~ /row::(insert|append)/) return "ledger: row of the new session"
    if (frame ~ /row::update/) return "ledger: row written anew by the grant"
    if (frame ~ /row::(load|read|Fields|Moving)/) return "ledger: row read for the grant"
    if (frame ~ /ledger::(index|stage)/) return "ledger: index in memory"
    if (frame ~ /greenwave_core::decide|ledger::transaction/) return "ledger: decide"
    if (frame ~ /sqlite3|rusqlite/) return writer ? "ledger: begin, commit" : ""
    if (frame ~ /writer::/) return "ledger: queue, answers"
    if (frame ~ /SqliteLedger|Engine::submit|Engine::follow/) return "engine: to the writer, back"
    if (frame ~ /v0::create|engine::Engine|axum::handler/) return "create: handler, id, own task"
    if (frame ~ /poll_flush|poll_read_from_io/) return "HTTP: socket (kernel, mostly)"
    if (frame ~ /hyper|axum|tower|http::/) return "HTTP: heads, routing"
    if (frame ~ /worker::(run|Context)|pool::Inner::run/) return "runtime: tasks, timers"
    return ""
}

function close_sample(    place, i, found) {
    if (depth == 0) return
    samples++
    place = "everything else"
    for (i = 1; i <= depth; i++) {
        # Statements inside of a row's function are that row's: only what no row asked for is left.
        found = subject(frames[i])
        if (found == "ledger: begin, commit" && row_above(i)) continue
        if (found != "") { place = found; break }
    }
    count[place]++
    depth = 0
}

function row_above(from,    i) {
    for (i = from; i <= depth; i++) if (frames[i] ~ /sqlite::row::/) return 1
    return 0
}

/^[^ \t]/ { close_sample(); writer = ($1 == "ledger"); next }
NF { depth++; sub(/^[ \t]*[0-9a-f]+ /, ""); frames[depth] = $0 }

END {
    close_sample()
    for (place in count) {
        share = 100 * count[place] / samples
        micros = creates ? 1e6 * count[place] / hz / creates : 0
        printf "%5.1f %% %6.1f us  %s\n", share, micros, place | "sort -rn"
    }
}
