//! The example works as it is.

use crate::gateway::TestGateway;

#[expect(dead_code, reason = "its main is for people")]
#[path = "../../examples/tutorial.rs"]
mod example;

#[tokio::test]
async fn the_example_works() {
    let gateway = TestGateway::start().await;
    let client = gateway.client();
    example::tutorial(&client).await.unwrap();
    assert_eq!(client.sessions().await.unwrap().len(), 0);
}
