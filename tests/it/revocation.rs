//! Who asks is remembered for a moment, and no longer: what is revoked is refused at once by the process that revoked it,
//! and within a second by the others.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use crate::support::app::{App, Person, eventually};
use crate::support::databases::each_database;

const ME: &str = "/api/auth/me/";
const WITHIN: Duration = Duration::from_secs(1);
/// What asking takes, on a machine that does other things too.
const ASKING: Duration = Duration::from_millis(700);

async fn refused_in_time(person: &Person<'_>, since: Instant) {
    eventually("the other process refuses", async || (person.get(ME).await.status == 401).then_some(()))
        .await;
    assert!(since.elapsed() < WITHIN + ASKING, "after {:?}", since.elapsed());
}

#[tokio::test]
async fn a_revoked_key_and_a_removed_member_are_refused_at_once_and_elsewhere_within_a_second() {
    each_database(|url| async move {
        let (here, elsewhere) = (App::start(&url).await, App::start(&url).await);
        let admin = here.admin().await;
        here.plan("Plan", "29.99", None).await;
        let member = here.member(&admin).await;
        let made = member.post("/api/auth/keys/", json!({"name": "k"})).await;
        let key =
            Person { auth: crate::support::app::Auth::Key(made.text("key").to_owned()), ..member.clone() };
        let at = |person: &Person<'_>, app| Person { app, auth: person.auth.clone(), id: person.id.clone() };
        let (key_elsewhere, member_elsewhere) = (at(&key, &elsewhere), at(&member, &elsewhere));
        for person in [&key, &member, &key_elsewhere, &member_elsewhere] {
            assert_eq!(person.get(ME).await.status, 200);
        }

        let revoked = member.delete(&format!("/api/auth/keys/{}/", made.text("id"))).await;
        let since = Instant::now();
        assert_eq!((revoked.status, key.get(ME).await.status), (204, 401), "at once");
        refused_in_time(&key_elsewhere, since).await;

        assert_eq!(member_elsewhere.get(ME).await.status, 200);
        let removed = admin.delete(&format!("/api/team/members/{}/", member.id)).await;
        let since = Instant::now();
        assert_eq!((removed.status, member.get(ME).await.status), (204, 401), "at once");
        refused_in_time(&member_elsewhere, since).await;
        here.stop().await;
        elsewhere.stop().await;
    })
    .await;
}
