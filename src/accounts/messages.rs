//! The e-mails about accounts.

use crate::domain::User;
use crate::notify::{MessageLink, NewMessage};

/// An invitation, to the address that is invited.
pub fn invitation(inviter: &User, recipient: &str, link: MessageLink) -> NewMessage {
    let group = inviter.group.as_ref().map_or("", |group| group.name.as_str());
    NewMessage {
        recipient: recipient.to_owned(),
        subject: format!("Invitation to {group}"),
        body: format!(
            "{} invites you to {group} on Tollgate.\n\nAccept the invitation within 7 days:\n{{link}}\n",
            inviter.name
        ),
        link: Some(link),
    }
}

/// A link that sets a new password. Names nobody: it is written before it is known whether there is an account.
pub fn password_reset(recipient: &str, link: MessageLink) -> NewMessage {
    NewMessage {
        recipient: recipient.to_owned(),
        subject: "Set a new password".into(),
        body: "Somebody asked for a new password for your account on Tollgate.\n\n\
               Set one within an hour:\n{link}\n\n\
               If it wasn't you, there is nothing to do: your password stays as it is.\n"
            .into(),
        link: Some(link),
    }
}

/// That sign-in details were changed, to the address the account had before: whoever else changed them has the new one.
/// `forgot` is the page that sends a link to set a new password.
pub fn sign_in_changed(user: &User, new_email: Option<&str>, new_password: bool, forgot: &str) -> NewMessage {
    let password = "The password was changed, and every other browser signed out.";
    let set_another = format!("If it wasn't you, set another password at once:\n{forgot}");
    let ask =
        "If it wasn't you, ask an admin of your group, or whoever runs this Tollgate, to remove the account.";
    let (what, next) = match (new_email, new_password) {
        (Some(email), true) => (format!("The e-mail address is now {email}. {password}"), ask.to_owned()),
        (Some(email), false) => (format!("The e-mail address is now {email}."), ask.to_owned()),
        (None, _) => (password.to_owned(), set_another),
    };
    NewMessage {
        recipient: user.email.clone(),
        subject: "Your sign-in details were changed".into(),
        body: format!("The sign-in details of your account on Tollgate were changed.\n\n{what}\n\n{next}\n"),
        link: None,
    }
}
