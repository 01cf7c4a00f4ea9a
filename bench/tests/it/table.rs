//! The commands that compare, fill, slow down and let end: with a few sessions, for a moment.

use serde_json::{Value, json};

use crate::{JOBS, answer_size, bench, report};

fn measured(arguments: &[&str]) -> Value {
    report(&bench(arguments).arg("--json").output().unwrap())
}

/// The rounds of a job, on one side or of one size.
fn rounds(of: &Value) -> &Vec<Value> {
    of.as_array().unwrap()
}

fn is_spread(spread: &Value) {
    let [min, median, max] = ["min", "median", "max"].map(|at| spread[at].as_f64().unwrap());
    assert!(0.0 < min && min <= median && median <= max, "{spread}");
}

#[test]
fn any_session_of_a_full_gateway_is_asked_for_and_told_of() {
    let brief = ["compare", "--rounds", "1", "--seconds", "0.1", "--connections", "4"];
    let ground = ["--live", "700", "--of", "all", "--sink"];
    let report = measured(&[&brief[..], &ground[..]].concat());
    assert_eq!(report["of"], "all");
    assert_eq!(report["ground"]["live"], 700);
    assert_eq!(report["ground"]["sink"], "prompt");
    let mut creates = 0;
    for (job, name) in rounds(&report["jobs"]).iter().zip(JOBS) {
        assert_eq!(job["job"], name);
        let (echo, gateway) = (&rounds(&job["echo_rounds"])[0], &rounds(&job["gateway_rounds"])[0]);
        assert_eq!(answer_size(echo), answer_size(gateway), "{job}");
        if name == "create" {
            creates = gateway["requests"].as_u64().unwrap();
        }
    }
    // Those that were deleted were told of once more.
    let events = report["ground"]["events"].as_u64().unwrap();
    assert!(events > creates, "{events} events of {creates} creates");
}

#[test]
fn receivers_that_never_answer_leave_the_events_where_they_are() {
    let brief = ["compare", "--rounds", "1", "--seconds", "0.1", "--connections", "4"];
    let report = measured(&[&brief[..], &["--sink=silent"]].concat());
    assert_eq!(report["ground"]["sink"], "silent");
    let create = &report["jobs"][0];
    let creates = create["gateway_rounds"][0]["requests"].as_u64().unwrap();
    assert!(report["ground"]["events"].as_u64().unwrap() >= creates, "{report}");
}

#[test]
fn all_cannot_be_asked_for_where_nothing_is() {
    let output = bench(&["compare", "--of", "all"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let talk = String::from_utf8_lossy(&output.stderr);
    assert!(talk.contains("--live"), "{talk}");
}

#[test]
fn gateways_of_several_sizes_are_held_against_the_smallest() {
    let sizes = ["scale", "900", "300", "300"];
    let brief = ["--rounds", "2", "--seconds", "0.1", "--connections", "4"];
    let report = measured(&[&sizes[..], &brief[..]].concat());
    let sizes = rounds(&report["sizes"]);
    let live: Vec<&Value> = sizes.iter().map(|size| &size["live"]).collect();
    assert_eq!(live, [300, 900]);
    assert_eq!(sizes[0]["bytes_per_session"], Value::Null);
    assert!(sizes[1]["bytes_per_session"].is_number());
    for size in sizes {
        let more = ["ready_s", "file_bytes_per_session", "resident_bytes", "peak_bytes"];
        assert!(more.iter().all(|what| size[what].as_f64().unwrap() > 0.0), "{size}");
        let names: Vec<&Value> = rounds(&size["jobs"]).iter().map(|job| &job["job"]).collect();
        assert_eq!(names, ["create", "get", "delete"]);
        for job in rounds(&size["jobs"]) {
            is_spread(&job["per_cpu_second"]);
            assert_eq!(rounds(&job["rounds"]).len(), 2);
        }
        // What a round has made, it has taken away.
        let requests = |job: usize, round: usize| &size["jobs"][job]["rounds"][round]["requests"];
        assert!((0..2).all(|round| requests(0, round) == requests(2, round)), "{size}");
    }
    assert_eq!(sizes[0]["jobs"][0]["ratio"]["median"], 1.0);
    is_spread(&sizes[1]["jobs"][0]["ratio"]);
}

#[test]
fn very_many_end_in_one_moment_and_others_go_on() {
    let some = ["expire", "--sessions", "600", "--others", "50", "--receivers", "7"];
    let report = measured(&[&some[..], &["--after", "5", "--connections", "4"]].concat());
    assert_eq!((&report["sessions"], &report["early"]), (&json!(600), &json!(0)), "{report}");
    assert_eq!(report["errors"], json!({}), "{report}");
    assert_eq!(report["rules_left"], 50, "{report}");
    let after = |what: &str| report[what].as_f64().unwrap();
    assert!(after("history_s") >= after("ended_s") && after("ended_s") > 0.0, "{report}");
    assert!(after("history_s") >= after("released_s"), "{report}");
    for gets in ["gets_before", "gets_meanwhile"] {
        assert!(report[gets]["requests"].as_u64().unwrap() > 0, "{report}");
        assert_eq!(report[gets]["errors"], json!({}), "{report}");
    }
}

#[test]
fn too_little_time_to_make_the_sessions_is_told() {
    let some = ["expire", "--sessions", "10", "--others", "1", "--after", "1"];
    let output = bench(&some).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let talk = String::from_utf8_lossy(&output.stderr);
    assert!(talk.contains("--after"), "{talk}");
}

#[test]
fn on_a_slow_disk_many_connections_share_what_one_has_to_itself() {
    let brief = ["slow-sync", "--rounds", "2", "--seconds", "0.3", "--connections", "8"];
    let report = measured(&[&brief[..], &["--delay-ms", "5"]].concat());
    assert_eq!((&report["delay_ms"], &report["too_quick"]), (&json!(5), &json!(0)), "{report}");
    is_spread(&report["ratio"]);
    for side in ["many", "one"] {
        assert_eq!(rounds(&report[side]["rounds"]).len(), 2);
        is_spread(&report[side]["per_second"]);
    }
    let one = report["one"]["rounds"][0]["p50_us"].as_u64().unwrap();
    assert!(one >= 5_000, "a sync takes 5 ms at least: {one}");
}

#[test]
fn half_of_the_highest_rate_is_asked_for() {
    let brief = ["pace", "--rounds", "2", "--seconds", "0.2", "--connections", "8", "--for", "0.3"];
    let report = measured(&[&brief[..], &["--live", "200"]].concat());
    assert_eq!(report["ground"]["live"], 200);
    is_spread(&report["p99_us"]);
    for round in rounds(&report["rounds"]) {
        let of = |what: &str| round[what].as_f64().unwrap();
        let (highest, rate) = (of("highest_per_s"), of("rate_per_s"));
        assert!((highest / 2.0 - rate).abs() < 0.001, "{round}");
        let asked = (rate * 0.3).ceil() as u64;
        assert_eq!(round["creates"]["requests"].as_u64().unwrap(), asked, "{round}");
        assert_eq!(round["creates"]["errors"], json!({}), "{round}");
    }
}
