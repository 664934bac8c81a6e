//! What a page asks for in one go.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::{
    ApiKey, Checkout, NewApiKey, NewInvitation, PeriodUsage, Plan, Role, Subscription, Team, Usage, User,
};

/// Who looks at the page, and at which installation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Viewer {
    pub user: Option<User>,
    /// Address of the Stripe sandbox's panel, where that is what takes the payments.
    pub sandbox: Option<String>,
}

impl Viewer {
    pub fn role(&self) -> Option<Role> {
        self.user.as_ref().map(|user| user.role)
    }
}

/// An account that the log-in page offers in demo mode.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Demo {
    pub label: String,
    pub email: String,
    pub password: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoginPage {
    /// Empty unless in demo mode.
    pub demo: Vec<Demo>,
    pub signup_open: bool,
}

/// What an invitation offers to whoever opens its link.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Offer {
    pub email: String,
    pub role: Role,
    pub group_name: String,
    pub expires_at: DateTime<Utc>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SubscribePage {
    /// Those that can be bought, cheapest first.
    pub plans: Vec<Plan>,
    pub subscription: Option<Subscription>,
    /// The card form to finish, if one is open.
    pub checkout: Option<Checkout>,
    /// Where Stripe.js is.
    pub stripe_js: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UsagePage {
    pub role: Role,
    pub subscription: Option<Subscription>,
    pub usage: Option<Usage>,
    pub suggested_plan: Option<Plan>,
    /// Earlier periods, newest first.
    pub history: Vec<PeriodUsage>,
    pub grace_days: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TeamPage {
    pub team: Team,
    /// Who looks at it.
    pub me: Uuid,
    /// Made a moment ago by a form sent without JavaScript, to be shown this once.
    pub made: Option<NewInvitation>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeysPage {
    /// Newest first.
    pub keys: Vec<ApiKey>,
    /// The address people see, without a slash at its end.
    pub origin: String,
    /// Made a moment ago by a form sent without JavaScript, to be shown this once.
    pub made: Option<NewApiKey>,
}

/// An e-mail as the outbox keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    pub id: Uuid,
    pub to: String,
    pub subject: String,
    pub body: String,
    pub created_at: DateTime<Utc>,
    pub sent_at: Option<DateTime<Utc>>,
}
