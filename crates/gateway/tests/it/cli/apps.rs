//! Applications and tokens on the command line.

use serde_json::json;

use super::{Cli, Printed};
use crate::mint::Signer;
use crate::program::greenwave;

fn use_token(cli: &Cli, token: &str) -> Printed {
    let mut command = greenwave();
    command.args(["sessions", "list", "--json", "--url", cli.process.root()]);
    command.env("GREENWAVE_KEY", token).output().unwrap().into()
}

#[test]
fn tokens_are_made() {
    let cli = Cli::new();
    let made = cli.run(&["sandbox", "token", "--application", "shop"]).ok();
    assert!(made.talk.contains("shop") && made.data.split('.').count() == 3, "{}", made.data);
    assert_eq!(use_token(&cli, made.data.trim()).json(), json!([]));
    let mut arguments = vec!["sandbox", "token", "--device", "+36721601234567", "--json"];
    arguments.extend(["--scope", "qos-profiles:read", "--expires-in", "5m"]);
    arguments.extend(["--scope", "quality-on-demand:sessions:read"]);
    let made = cli.run(&arguments).json();
    assert_eq!(made["scope"], "qos-profiles:read quality-on-demand:sessions:read");
    assert_eq!((&made["expires_in"], &made["client_id"]), (&300.into(), &"1".into()));
    let over = cli.run(&["sandbox", "token", "--expires-in", "-2m"]).ok();
    assert!(use_token(&cli, over.data.trim()).failed().contains("not authenticated"));

    let wrong = cli.run(&["sandbox", "token", "--device", "3672"]).failed();
    assert!(wrong.contains("greenwave sandbox token --help"), "{wrong}");
    assert_eq!(cli.run(&["sandbox", "token", "--scope", "x"]).code, Some(2));
}

#[test]
fn applications_are_listed_and_given_keys_and_limits() {
    let cli = Cli::new();
    cli.run(&["keys", "create", "--application", "shop"]).ok();
    let file = cli.directory.path().join("keys.json");
    let jwks = json!({"keys": [Signer::new("one").jwk()]});
    std::fs::write(&file, jwks.to_string()).unwrap();
    let file = file.to_str().unwrap();
    let set = cli.run(&["apps", "jwks", "shop", file]).ok();
    assert!(set.talk.contains("shop"), "{}", set.talk);
    let limit = ["apps", "limit", "shop", "--requests", "100", "--per", "1h"];
    assert_eq!(cli.run(&limit).ok().talk, "\"shop\" may make 100 requests in 1h.\n");
    let table = cli.run(&["apps", "list"]).ok().data;
    let row: Vec<&str> = table.lines().nth(2).unwrap().split_whitespace().collect();
    assert_eq!(row[..6], ["2", "shop", "1", "100", "per", "1h"], "{table}");

    cli.run(&["apps", "limit", "shop", "--none"]).ok();
    let forgotten = cli.run(&["apps", "jwks", "shop", "--none", "--json"]).json();
    assert_eq!((&forgotten["name"], forgotten.get("jwks")), (&"shop".into(), None));
    let listed = cli.run(&["apps", "list", "--json"]).json();
    assert_eq!((listed[1].get("rateLimit"), listed[1].get("jwks")), (None, None));

    for arguments in [&["limit", "game", "--none"][..], &["jwks", "game", file]] {
        let talk = cli.run(&[&["apps"], arguments].concat()).failed();
        assert!(talk.contains("greenwave apps list"), "{talk}");
    }
    std::fs::write(file, "{}").unwrap();
    let talk = cli.run(&["apps", "jwks", "shop", file]).failed();
    assert!(talk.contains("RFC 7517") && talk.contains("greenwave apps jwks --help"), "{talk}");
    for arguments in
        [&["limit", "shop"][..], &["limit", "shop", "--requests", "1"], &["jwks", "shop"]]
    {
        assert_eq!(cli.run(&[&["apps"], arguments].concat()).code, Some(2), "{arguments:?}");
    }
}

#[test]
fn another_issuer_is_named_whole_or_not_at_all() {
    let up = |arguments: &[&str]| {
        let mut command = greenwave();
        let output = command.arg("up").args(arguments).output().unwrap();
        Printed::from(output)
    };
    for arguments in [
        &["--token-issuer", "https://login.example"][..],
        &["--token-jwks", "keys.json"],
        &["--token-device-claim", "msisdn"],
        &["--token-issuer", "https://x", "--token-audience", "x", "--token-jwks", "http://x/jwks"],
    ] {
        assert_eq!(up(arguments).code, Some(2), "{arguments:?}");
    }
    let help = up(&["--help"]).ok().data;
    for flag in ["issuer", "jwks", "audience", "client-claim", "device-claim"] {
        assert!(help.contains(&format!("--token-{flag}")), "{help}");
    }
}
