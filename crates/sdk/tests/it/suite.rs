//! What both clients can do, once for each executor.

use std::time::{Duration, SystemTime};

use greenwave_sdk::blocking::Blocking;
use greenwave_sdk::operation::Executor;
use greenwave_sdk::{ClientOf, DeviceId, Error, Ports, Tokio};

use crate::gateway::TestGateway;

const SERVER: &str = "203.0.113.5";
const HOUR: Duration = Duration::from_secs(3_600);
const SOON: Duration = Duration::from_secs(20);

/// An executor's answer as a future, so that one suite is for both.
trait Settle: Executor {
    fn settle<T: Send + 'static>(answer: Self::Answer<T>)
    -> impl Future<Output = Result<T, Error>>;
}

impl Settle for Tokio {
    fn settle<T: Send + 'static>(
        answer: Self::Answer<T>,
    ) -> impl Future<Output = Result<T, Error>> {
        answer
    }
}

impl Settle for Blocking {
    fn settle<T: Send + 'static>(
        answer: Self::Answer<T>,
    ) -> impl Future<Output = Result<T, Error>> {
        std::future::ready(answer)
    }
}

/// Each case once with the executor for async programs and once with the one that blocks, inside a
/// runtime on whose other thread the gateway runs.
macro_rules! both {
    ($($case:ident),* $(,)?) => {
        mod tokio_executor {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $case() {
                super::$case::<super::Tokio>().await;
            })*
        }
        mod blocking_executor {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $case() {
                super::$case::<super::Blocking>().await;
            })*
        }
    };
}

both!(
    a_session_from_its_creation_to_its_end,
    what_was_asked_for_comes_back,
    sessions_are_cleared_and_told,
    a_list_of_several_pages,
    what_cannot_be_right_is_not_sent,
    a_refusal_tells_all_that_is_known,
    a_session_that_the_network_refuses_is_not_waited_for,
    waiting_comes_to_an_end,
    a_wrong_path_is_no_empty_list,
    many_calls_in_one_task,
);

fn named(name: &str) -> DeviceId {
    DeviceId::network_access_identifier(format!("{name}@testcsp.net"))
}

async fn a_session_from_its_creation_to_its_end<E: Settle>() {
    let gateway = TestGateway::start().await;
    let device = gateway.client::<E>().device(named("life"));
    assert!(E::settle(device.sessions()).await.unwrap().is_empty());

    let create = device.create_qod_session("QOS_L").service_ipv4(SERVER).duration(HOUR);
    let session = E::settle(create.send()).await.unwrap();
    let session = E::settle(session.wait_available(SOON)).await.unwrap();
    assert_eq!((session.status(), session.duration()), ("AVAILABLE", Some(HOUR)));
    let lasts = session.expires_at().unwrap().duration_since(session.started_at().unwrap());
    assert_eq!(lasts.unwrap(), HOUR);
    assert!(session.expires_at().unwrap() > SystemTime::now());

    let extended = E::settle(session.extend(Duration::from_secs(600))).await.unwrap();
    assert_eq!(extended.duration(), Some(HOUR + Duration::from_secs(600)));
    let seen = E::settle(session.refresh()).await.unwrap();
    assert_eq!(seen.info(), extended.info());
    let listed = E::settle(device.sessions()).await.unwrap();
    assert_eq!(listed.iter().map(|s| s.id()).collect::<Vec<_>>(), [session.id()]);

    E::settle(session.delete()).await.unwrap();
    for gone in [E::settle(session.delete()).await.err(), E::settle(session.refresh()).await.err()]
    {
        let gone = gone.unwrap();
        assert!(gone.is_not_found(), "{gone}");
        assert_eq!(gone.refusal().unwrap().code(), Some("NOT_FOUND"));
    }
}

async fn what_was_asked_for_comes_back<E: Settle>() {
    let gateway = TestGateway::start().await;
    let id = DeviceId::phone_number("36721601234567")
        .and(DeviceId::ipv4_private("233.252.0.2", "192.0.2.25"))
        .and(DeviceId::ipv4_port("233.252.0.2", 80))
        .and(DeviceId::ipv6("2001:db8::1"));
    let create = gateway
        .client::<E>()
        .device(id.clone())
        .create_qod_session("DOWNLINK_S_UPLINK_L")
        .service_ipv4("203.0.113.0/24")
        .service_ipv6("2001:db8::5")
        .service_ports(Ports::range(5_000..=5_010).and_single([443]))
        .device_ports(Ports::single([80, 443]))
        .notification_auth_token("a-token-of-some-length")
        .notification("http://127.0.0.1:9/events");
    let session = E::settle(create.send()).await.unwrap();
    let session = E::settle(session.refresh()).await.unwrap();
    assert_eq!(session.profile(), "DOWNLINK_S_UPLINK_L");
    assert_eq!(session.device(), Some(id));
    assert_eq!(session.service_ipv4(), Some("203.0.113.0/24"));
    assert_eq!(session.service_ipv6(), Some("2001:db8::5"));
    assert_eq!(session.service_ports(), Some(Ports::range(5_000..=5_010).and_single([443])));
    assert_eq!(session.device_ports(), Some(Ports::single([80, 443])));
    assert_eq!(session.notification_url(), Some("http://127.0.0.1:9/events"));
    assert_eq!(session.duration(), Some(Duration::from_secs(86_400)));
}

async fn sessions_are_cleared_and_told<E: Settle>() {
    let gateway = TestGateway::start().await;
    let client = gateway.client::<E>();
    let (device, other) = (client.device(named("many")), client.device(named("other")));
    let mut made = Vec::new();
    for _ in 0..3 {
        let create = device.create_qod_session("QOS_S").service_ipv4(SERVER);
        made.push(E::settle(create.send()).await.unwrap().id().to_owned());
    }
    let kept = other.create_qod_session("QOS_S").service_ipv4(SERVER);
    E::settle(kept.send()).await.unwrap();
    let cleared = E::settle(device.clear_sessions()).await.unwrap();
    assert_eq!((cleared.deleted, cleared.ended), (made, vec![]));
    assert_eq!(E::settle(device.clear_sessions()).await.unwrap().deleted.len(), 0);
    assert_eq!(E::settle(other.sessions()).await.unwrap().len(), 1);
}

async fn a_list_of_several_pages<E: Settle>() {
    let gateway = TestGateway::start().await;
    let client = gateway.client::<E>();
    let mut made = Vec::new();
    for number in 0..205 {
        let device = client.device(named(&format!("device{}", number % 5)));
        let create = device.create_qod_session("QOS_S").service_ipv4(SERVER);
        made.push(E::settle(create.send()).await.unwrap().id().to_owned());
    }
    let mut listed: Vec<_> = E::settle(client.sessions())
        .await
        .unwrap()
        .into_iter()
        .map(|session| session.id().to_owned())
        .collect();
    made.sort();
    listed.sort();
    assert_eq!(listed, made);
}

async fn what_cannot_be_right_is_not_sent<E: Settle>() {
    // Nobody listens there, so whatever is sent fails in another way.
    let client: ClientOf<E> =
        ClientOf::builder().base_url("http://127.0.0.1:1").retries(0).build("key").unwrap();
    let good = client.device(named("local"));
    let phone = client.device(DeviceId::phone_number("+36 (72) 1601234567"));
    let alone = client.device(DeviceId::ipv4_port("233.252.0.2", 80).and(DeviceId::default()));
    let nameless = client.device(DeviceId::default());
    let backwards = Ports::range(443..=443).and_range(std::ops::RangeInclusive::new(443, 80));
    let create = || good.create_qod_session("QOS_L").service_ipv4(SERVER);
    for (answer, said) in [
        (good.create_qod_session("QOS_L").send(), "applicationServer"),
        (good.create_qod_session("QOS L").service_ipv4(SERVER).send(), "qosProfile"),
        (create().service_ports(backwards).send(), "from 443 is above to 80"),
        (create().service_ipv4("203.0.113").send(), "applicationServer.ipv4Address"),
        (create().notification("example.com").send(), "notificationUrl"),
        (phone.create_qod_session("QOS_L").service_ipv4(SERVER).send(), "device.phoneNumber"),
        (nameless.create_qod_session("QOS_L").service_ipv4(SERVER).send(), "device"),
    ] {
        match E::settle(answer).await {
            Err(Error::Invalid(message)) => assert!(message.contains(said), "{message}"),
            other => panic!("{said}: {other:?}"),
        }
    }
    let sent = alone.create_qod_session("QOS_L").service_ipv4(SERVER).send();
    assert!(matches!(E::settle(sent).await, Err(Error::NoConnection { .. })));
    let session = E::settle(client.session("../admin")).await;
    assert!(matches!(session, Err(Error::Invalid(_))), "{session:?}");
}

async fn a_refusal_tells_all_that_is_known<E: Settle>() {
    let gateway = TestGateway::start().await;
    let stranger: ClientOf<E> =
        ClientOf::builder().base_url(gateway.root()).build("wrong").unwrap();
    let refused = E::settle(stranger.sessions()).await.unwrap_err();
    let refusal = refused.refusal().unwrap();
    assert_eq!((refusal.status(), refusal.code()), (401, Some("UNAUTHENTICATED")));
    assert!(refusal.hint().unwrap().contains("greenwave keys create"), "{refused}");
    assert!(refused.to_string().contains(refusal.correlator().unwrap()), "{refused}");

    let device = gateway.client::<E>().device(named("refused"));
    let create = device.create_qod_session("QOS_X").service_ipv4(SERVER);
    let refused = E::settle(create.send()).await.unwrap_err();
    assert_eq!(refused.status(), Some(400));
    assert!(refused.refusal().unwrap().message().contains("QOS_X"), "{refused}");
}

async fn a_session_that_the_network_refuses_is_not_waited_for<E: Settle>() {
    let gateway = TestGateway::start().await;
    let client = gateway.client::<E>();
    for number in 0..4 {
        let device = client.device(named(&format!("stadium{number}")));
        let create = device.create_qod_session("QOS_L").service_ipv4(SERVER);
        let session = E::settle(create.send()).await.unwrap();
        match E::settle(session.wait_available(SOON)).await {
            Ok(session) => assert!(number < 3, "{session:?}"),
            Err(Error::Ended { session_id, status_info }) => {
                assert_eq!((number, session_id.as_str()), (3, session.id()));
                assert_eq!(status_info.as_deref(), Some("NETWORK_TERMINATED"));
            }
            Err(other) => panic!("{other}"),
        }
    }
}

async fn waiting_comes_to_an_end<E: Settle>() {
    let gateway = TestGateway::with_grant_delay(Duration::from_secs(50)).await;
    let device = gateway.client::<E>().device(named("slow"));
    let create = device.create_qod_session("QOS_L").service_ipv4(SERVER);
    let session = E::settle(create.send()).await.unwrap();
    let waited = E::settle(session.wait_available(Duration::from_millis(50))).await;
    assert!(matches!(waited, Err(Error::NotYet { .. })), "{waited:?}");
    E::settle(session.delete()).await.unwrap();
    let waited = E::settle(session.wait_available(SOON)).await;
    assert!(matches!(waited, Err(Error::Ended { status_info: None, .. })), "{waited:?}");
}

async fn a_wrong_path_is_no_empty_list<E: Settle>() {
    let gateway = TestGateway::start().await;
    let url = format!("{}/elsewhere", gateway.root());
    let client: ClientOf<E> = ClientOf::builder().base_url(url).build(gateway.key()).unwrap();
    let refused = E::settle(client.device(named("lost")).sessions()).await.unwrap_err();
    assert!(refused.is_not_found());
    assert!(refused.refusal().unwrap().hint().unwrap().contains("base URL"), "{refused}");
}

/// More than a runtime lets a task do without a pause.
async fn many_calls_in_one_task<E: Settle>() {
    let gateway = TestGateway::start().await;
    let client = gateway.client::<E>();
    for _ in 0..500 {
        assert!(E::settle(client.sessions()).await.unwrap().is_empty());
    }
}
