//! E-mail: what is put into the outbox is sent once, whatever the mail server does.

use std::time::Duration as StdDuration;

use chrono::Duration;
use futures::future::join_all;
use mail_parser::{Message, MessageParser, MimeHeaders};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use tollgate::clock::Clock;
use tollgate::domain::MessageState;
use tollgate::notify::{MAX_ATTEMPTS, Mailer, MessageLink, NewMessage, Outbox};
use tollgate::storage::{OutboxRow, Store};
use url::Url;

use crate::support::app::{App, eventually, unique};
use crate::support::databases::{Database, each_database, each_store};
use crate::support::seed::at;
use crate::support::smtp::{Behaviour, Received, SmtpServer};

/// A store's outbox and a mail server, with a clock that the test moves.
pub struct Mail {
    pub store: Store,
    pub clock: Clock,
    pub outbox: Outbox,
    pub server: SmtpServer,
}

impl Mail {
    pub async fn new(store: &Store, behaviour: Behaviour) -> Self {
        let clock = Clock::manual(at("2026-03-11T12:00:00Z"));
        let outbox = Outbox::new(store.clone(), clock.clone(), &public_url(), true);
        Self { store: store.clone(), clock, outbox, server: SmtpServer::start(behaviour).await }
    }

    pub fn mailer(&self) -> Mailer {
        let public_url = "https://tollgate.example".parse().expect("an address");
        Mailer::new(self.outbox.clone(), &self.server.url().into(), &public_url).expect("a mailer")
    }

    pub async fn add(&self, message: &NewMessage) {
        let mut tx = self.store.begin().await.expect("a transaction");
        self.outbox.add(&mut tx, message).await.expect("the message is kept");
        tx.commit().await.expect("a commit");
    }

    pub async fn only(&self) -> OutboxRow {
        let mut rows = self.store.outbox(10).await.expect("the outbox");
        assert_eq!(rows.len(), 1);
        rows.remove(0)
    }
}

pub fn public_url() -> Url {
    "https://tollgate.example/".parse().expect("an address")
}

/// A message as a mailbox reads it.
pub fn read(received: &Received) -> Message<'_> {
    MessageParser::default().parse(received.text.as_bytes()).expect("a message")
}

pub fn message(recipient: &str) -> NewMessage {
    NewMessage {
        recipient: recipient.into(),
        subject: "Hello".into(),
        body: "Here it is:\n{link}\n".into(),
        html: "<a href=\"{link}\">Here it is</a>".into(),
        link: Some(MessageLink {
            url: "https://tollgate.example/invite/secret".into(),
            expires_at: at("2026-03-18T12:00:00Z"),
        }),
        ..NewMessage::default()
    }
}

#[tokio::test]
async fn a_message_is_sent_with_its_link_which_is_then_erased() {
    for database in Database::each().await {
        let store = database.store().await;
        let mail = Mail::new(&store, Behaviour::Accept).await;
        mail.add(&message("ada@example.com")).await;
        let mailer = mail.mailer();
        assert!(mailer.send_one().await.expect("the outbox"));
        assert!(!mailer.send_one().await.expect("the outbox"), "nothing is left to send");

        let received = mail.server.received();
        assert_eq!(received.len(), 1);
        assert_eq!(received[0].recipient, "ada@example.com");
        let letter = read(&received[0]);
        let from = letter.from().and_then(|from| from.first()).and_then(|from| from.address());
        assert_eq!((letter.subject(), from), (Some("Hello"), Some("no-reply@tollgate.example")));
        assert_eq!(letter.body_text(0).unwrap(), "Here it is:\r\nhttps://tollgate.example/invite/secret\r\n");
        assert_eq!(
            letter.body_html(0).unwrap(),
            "<a href=\"https://tollgate.example/invite/secret\">Here it is</a>"
        );
        assert_eq!(letter.content_type().unwrap().subtype(), Some("alternative"));
        let sent = mail.only().await;
        assert_eq!(
            (sent.state, sent.attempts, sent.sent_at),
            (MessageState::Sent, 1, Some(mail.clock.now()))
        );
        let secrets = "SELECT COUNT(*) FROM outbox
            WHERE secret IS NOT NULL OR body LIKE '%invite/secret%' OR html LIKE '%invite/secret%'";
        assert_eq!(database.rows::<(i64,)>(secrets).await, [(0,)]);
        store.close().await;
        database.drop().await;
    }
}

#[tokio::test]
async fn a_message_that_can_not_be_sent_now_is_tried_again_later_and_given_up_in_the_end() {
    each_store(|store| async move {
        let mail = Mail::new(&store, Behaviour::Refuse(451)).await;
        // Without a link, which would expire meanwhile.
        mail.add(&NewMessage { link: None, ..message("ada@example.com") }).await;
        let mailer = mail.mailer().with_delivery_timeout(StdDuration::from_millis(200));
        let ways = [Behaviour::Refuse(451), Behaviour::CutOff, Behaviour::Stall, Behaviour::Refuse(535)];
        for attempt in 1..MAX_ATTEMPTS {
            mail.server.behave(ways[attempt as usize % ways.len()]);
            assert!(mailer.send_one().await.expect("the outbox"), "attempt {attempt}");
            assert!(!mailer.send_one().await.expect("the outbox"), "it is put off");
            let row = mail.only().await;
            assert_eq!((row.state, row.attempts), (MessageState::Waiting, attempt));
            // Each time for twice as long, up to 256 minutes.
            let minutes = Duration::minutes(1 << attempt.min(8));
            mail.clock.advance(minutes - Duration::seconds(1));
            assert!(!mailer.send_one().await.expect("the outbox"), "not before its time");
            mail.clock.advance(Duration::seconds(1));
        }
        mail.server.behave(Behaviour::Refuse(451));
        assert!(mailer.send_one().await.expect("the outbox"));
        assert_eq!(mail.only().await.state, MessageState::Failed);
        mail.server.behave(Behaviour::Accept);
        mail.clock.advance(Duration::days(1));
        assert!(!mailer.send_one().await.expect("the outbox"));
        assert_eq!(mail.server.received(), []);
    })
    .await;
}

#[tokio::test]
async fn a_message_that_is_refused_for_good_is_given_up_at_once() {
    each_store(|store| async move {
        let mail = Mail::new(&store, Behaviour::Refuse(550)).await;
        mail.add(&message("ada@example.com")).await;
        assert!(mail.mailer().send_one().await.expect("the outbox"));
        let row = mail.only().await;
        assert_eq!((row.state, row.attempts), (MessageState::Failed, 1));
    })
    .await;
}

#[tokio::test]
async fn a_message_whose_link_has_expired_is_not_sent() {
    each_store(|store| async move {
        let mail = Mail::new(&store, Behaviour::Accept).await;
        mail.add(&message("ada@example.com")).await;
        mail.clock.advance(Duration::days(7));
        assert!(mail.mailer().send_one().await.expect("the outbox"));
        assert_eq!(mail.only().await.state, MessageState::Failed);
        assert_eq!(mail.server.received(), []);
    })
    .await;
}

#[tokio::test]
async fn a_message_of_a_transaction_that_is_rolled_back_is_not_sent() {
    each_store(|store| async move {
        let mail = Mail::new(&store, Behaviour::Accept).await;
        let mut tx = store.begin().await.expect("a transaction");
        mail.outbox.add(&mut tx, &message("ada@example.com")).await.expect("the message is kept");
        drop(tx);
        assert!(!mail.mailer().send_one().await.expect("the outbox"));
    })
    .await;
}

#[tokio::test]
async fn workers_side_by_side_send_each_message_once() {
    const MESSAGES: usize = 24;
    each_store(|store| async move {
        let mail = Mail::new(&store, Behaviour::Accept).await;
        for number in 0..MESSAGES {
            mail.add(&message(&format!("{number}@example.com"))).await;
        }
        let stop = CancellationToken::new();
        let workers: Vec<_> = (0..4).map(|_| tokio::spawn(mail.mailer().run(stop.clone()))).collect();
        mail.server.attempted(MESSAGES).await;
        stop.cancel();
        join_all(workers).await.into_iter().for_each(|worker| worker.expect("a worker ends"));
        let mut recipients: Vec<_> = mail.server.received().into_iter().map(|m| m.recipient).collect();
        recipients.sort();
        recipients.dedup();
        assert_eq!((recipients.len(), mail.server.received().len()), (MESSAGES, MESSAGES));
        let rows = store.outbox(100).await.expect("the outbox");
        assert!(rows.iter().all(|row| row.state == MessageState::Sent && row.attempts == 1));
    })
    .await;
}

#[tokio::test]
async fn a_claim_is_one_worker_s_until_it_runs_out() {
    each_store(|store| async move {
        let mail = Mail::new(&store, Behaviour::Accept).await;
        mail.add(&message("ada@example.com")).await;
        let now = mail.clock.now();
        let until = now + Duration::minutes(2);
        let claimed = store.claim_due_message(now, until).await.expect("the outbox").expect("a message");
        assert!(store.claim_due_message(now, until).await.expect("the outbox").is_none());
        // The worker that had it is gone: another takes over.
        let again = store.claim_due_message(until, until).await.expect("the outbox").expect("a message");
        assert_eq!((again.id, again.attempts), (claimed.id, 2));
    })
    .await;
}

#[tokio::test]
async fn an_invitation_arrives_by_e_mail() {
    for database in Database::each().await {
        let server = SmtpServer::start(Behaviour::Accept).await;
        let clock = Clock::manual(at("2026-03-11T12:00:00Z"));
        let app = App::start_at(&database.url, &[("SMTP_URL", &server.url())], &clock).await;
        let admin = app.admin().await;
        let email = format!("{}@example.com", unique("invited"));
        let invited = admin.post("/api/team/invitations/", json!({"email": email, "role": "member"})).await;
        assert_eq!(invited.status, 201, "{}", invited.body);
        server.attempted(1).await;
        let received = server.received();
        assert_eq!(received[0].recipient, email);
        let mail = read(&received[0]);
        for body in [mail.body_text(0), mail.body_html(0)] {
            assert!(body.as_ref().is_some_and(|body| body.contains(invited.text("url"))), "{body:?}");
        }
        let store = &app.running.services.store;
        eventually("the message is marked", || async {
            let rows = store.outbox(1).await.expect("the outbox");
            (rows[0].state == MessageState::Sent).then_some(())
        })
        .await;
        app.stop().await;
        database.drop().await;
    }
}

#[tokio::test]
async fn without_a_mail_server_messages_are_kept_for_the_superadmin() {
    for database in Database::each().await {
        let clock = Clock::manual(at("2026-03-11T12:00:00Z"));
        let app = App::start_at(&database.url, &[], &clock).await;
        let admin = app.admin().await;
        let body = json!({"email": "max@example.com", "role": "member"});
        let invited = admin.post("/api/team/invitations/", body).await;
        assert_eq!(invited.status, 201, "{}", invited.body);
        let clear = "SELECT COUNT(*) FROM outbox WHERE body LIKE '%/invite/%' OR html LIKE '%/invite/%'";
        assert_eq!(database.rows::<(i64,)>(clear).await, [(0,)], "a link isn't part of a body");
        let superadmin = app.superadmin().await;
        let page = superadmin.get("/outbox").await.body.to_string();
        assert!(page.contains(invited.text("url")) && page.contains("Kept"), "{page}");

        clock.advance(Duration::days(7));
        app.running.services.store.sweep(clock.now()).await.expect("a sweep");
        let page = superadmin.get("/outbox").await.body.to_string();
        assert!(!page.contains("/invite/") && page.contains("Kept"), "{page}");
        app.stop().await;
        database.drop().await;
    }
}

#[tokio::test]
async fn the_page_leads_on_to_older_messages() {
    each_database(|url| async move {
        let clock = Clock::manual(at("2026-03-11T12:00:00Z"));
        let app = App::start_at(&url, &[], &clock).await;
        let services = &app.running.services;
        let mut tx = services.store.begin().await.expect("a transaction");
        for number in 0..101 {
            let message = NewMessage { subject: format!("Number {number}."), ..message("ada@example.com") };
            services.outbox.add(&mut tx, &message).await.expect("the message is kept");
        }
        tx.commit().await.expect("a commit");
        let superadmin = app.superadmin().await.by_key().await;
        let subjects = |page: &str| -> Vec<String> {
            let titles = page.split("<h2>Number ").skip(1);
            titles.map(|rest| rest.split_once('.').expect("a number").0.to_owned()).collect()
        };
        let link = |page: &str| {
            let (_, rest) = page.split_once("href=\"/outbox?after=")?;
            Some(format!("/outbox?after={}", rest.split('"').next()?))
        };
        let (mut path, mut seen, mut pages) = (Some("/outbox".to_owned()), Vec::new(), 0);
        while let Some(this) = path {
            let page = superadmin.get(&this).await;
            let page = page.body.as_str().expect("a page").to_owned();
            assert_eq!(page.contains("Newest messages"), pages > 0);
            seen.extend(subjects(&page));
            (path, pages) = (link(&page), pages + 1);
        }
        let all: Vec<_> = (0..101).rev().map(|number| number.to_string()).collect();
        assert_eq!((seen, pages), (all, 3));
        let oldest = services.store.outbox(200).await.expect("the outbox").pop().expect("a message").id;
        let page = superadmin.get(&format!("/outbox?after={oldest}")).await;
        assert!(page.body.to_string().contains("No older messages."), "{}", page.body);
        assert_eq!(superadmin.get("/outbox?after=x").await.status, 404);
        app.stop().await;
    })
    .await;
}
