//! E-mail as it arrives: what a mail server is handed, whatever it does with it.

use std::time::Duration as StdDuration;

use chrono::Duration;
use mail_parser::MimeHeaders;
use tollgate::domain::MessageState;
use tollgate::notify::NewMessage;

use crate::outbox::{Mail, message, read};
use crate::support::databases::each_store;
use crate::support::smtp::{Behaviour, Received};

const UNSUBSCRIBE: &str = "https://tollgate.example/unsubscribe/7d0dbaff-3d2c-4d35-9d6c-1ac6f0f2b5f0";

/// A message of many alphabets and long lines, that may be unsubscribed from.
fn optional() -> NewMessage {
    NewMessage {
        recipient: "zoe@example.com".into(),
        subject: "Größe überschritten: 80 % der Zeichen von Łódź 株式会社 sind verbraucht, und es ist ein langer Satz".into(),
        body: format!("Zażółć 80 %\n.a line that begins with a dot\n{}\n", "x".repeat(2_000)),
        html: format!("<p>Zażółć</p>\n<p>{}</p>\n", "y".repeat(2_000)),
        link: None,
        origin: None,
        unsubscribe_url: Some(UNSUBSCRIBE.into()),
    }
}

#[tokio::test]
async fn a_message_arrives_in_text_and_html_with_the_headers_that_mailboxes_ask_for() {
    each_store(|store| async move {
        let mail = Mail::new(&store, Behaviour::Accept).await;
        let sent = optional();
        mail.add(&sent).await;
        mail.add(&NewMessage { link: None, ..message("ada@example.com") }).await;
        let mailer = mail.mailer();
        assert!(mailer.send_one().await.expect("the outbox") && mailer.send_one().await.expect("the outbox"));
        let received = mail.server.received();
        let [optional, required] = &received[..] else { panic!("{received:?}") };

        // Source: RFC 5322, section 2.1.1; RFC 2045, section 2.7.
        assert!(optional.text.is_ascii() && optional.text.lines().all(|line| line.len() <= 998));
        let mail = read(optional);
        assert_eq!(mail.subject(), Some(&*sent.subject));
        assert_eq!(mail.body_text(0).unwrap().replace("\r\n", "\n"), sent.body);
        assert_eq!(mail.body_html(0).unwrap().replace("\r\n", "\n"), sent.html);
        let types: Vec<_> = mail
            .parts
            .iter()
            .filter_map(|part| part.content_type())
            .map(|kind| (kind.ctype(), kind.subtype().unwrap_or_default(), kind.attribute("charset")))
            .collect();
        // What comes last is what a mailbox shows if it can: RFC 2046, section 5.1.4.
        let parts = [
            ("multipart", "alternative", None),
            ("text", "plain", Some("utf-8")),
            ("text", "html", Some("utf-8")),
        ];
        assert_eq!(types, parts);
        let header = |received: &Received, name: &str| {
            read(received).header_raw(name).map(|value| value.trim().to_owned())
        };
        let link = format!("<{UNSUBSCRIBE}>");
        for (name, of_optional) in
            [("List-Unsubscribe", &*link), ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")]
        {
            assert_eq!(header(optional, name).as_deref(), Some(of_optional));
            assert_eq!(header(required, name), None, "what is required can't be stopped");
        }
        for received in [optional, required] {
            assert_eq!(header(received, "Auto-Submitted").as_deref(), Some("auto-generated"));
            assert_eq!(header(received, "To"), Some(received.recipient.clone()));
            assert_eq!(header(received, "MIME-Version").as_deref(), Some("1.0"));
            let mail = read(received);
            assert!(mail.date().is_some());
            assert!(mail.message_id().is_some_and(|id| id.ends_with("@tollgate.example")));
        }
        assert_ne!(read(optional).message_id(), read(required).message_id());
    })
    .await;
}

#[tokio::test]
async fn a_message_keeps_its_id_however_often_it_is_tried() {
    each_store(|store| async move {
        let mail = Mail::new(&store, Behaviour::Stall).await;
        mail.add(&NewMessage { link: None, ..message("ada@example.com") }).await;
        // It takes the message in, and its answer comes too late.
        let hurried = mail.mailer().with_delivery_timeout(StdDuration::from_millis(500));
        assert!(hurried.send_one().await.expect("the outbox"));
        mail.clock.advance(Duration::hours(5));
        let mailer = mail.mailer();
        for behaviour in [Behaviour::CutOff, Behaviour::Refuse(421), Behaviour::Accept] {
            mail.server.behave(behaviour);
            assert!(mailer.send_one().await.expect("the outbox"));
            mail.clock.advance(Duration::hours(5));
        }
        let (stalled, received) = (mail.server.stalled(), mail.server.received());
        assert_eq!((stalled.len(), received.len()), (1, 1));
        let row = mail.only().await;
        assert_eq!((row.state, row.attempts), (MessageState::Sent, 4));
        let id = format!("{}@tollgate.example", row.id);
        assert_eq!(read(&stalled[0]).message_id(), Some(&*id));
        assert_eq!(read(&received[0]).message_id(), Some(&*id));
        let again = mail.store.send_again(row.id, mail.clock.now()).await.expect_err("it is done");
        assert!(again.to_string().contains("was sent"), "{again}");
    })
    .await;
}

#[tokio::test]
async fn a_slow_mail_server_is_waited_for_and_nobody_sends_the_same_beside_it() {
    each_store(|store| async move {
        let mail = Mail::new(&store, Behaviour::Stall).await;
        mail.add(&message("ada@example.com")).await;
        let slow = mail.mailer();
        let sending = tokio::spawn(async move { slow.send_one().await });
        mail.server.attempted(1).await;
        assert!(!mail.mailer().send_one().await.expect("the outbox"), "another has it");
        assert_eq!(mail.only().await.state, MessageState::Waiting);
        mail.server.release();
        assert!(sending.await.expect("it ends").expect("the outbox"));
        let row = mail.only().await;
        assert_eq!((row.state, row.attempts), (MessageState::Sent, 1));
        assert_eq!(mail.server.received().len(), 1);
    })
    .await;
}
