//! Every type of problem: what programs match on, and what the page of errors says of it.

use axum::http::StatusCode;

use crate::domain::Refusal;

/// Where the page of errors is served; a problem's `type` is its code's place there.
pub const PAGE: &str = "/api/docs/errors/";

/// A type of problem (RFC 9457, section 3.1.1).
#[derive(Debug, PartialEq, Eq)]
pub struct ProblemType {
    pub code: &'static str,
    pub status: StatusCode,
    pub title: &'static str,
    /// When it is answered, and what to do then.
    pub meaning: &'static str,
}

macro_rules! problem_types {
    ($($name:ident = $status:ident, $code:literal, $title:literal, $meaning:literal;)*) => {
        $(pub const $name: ProblemType =
            ProblemType { code: $code, status: StatusCode::$status, title: $title, meaning: $meaning };)*

        /// All of them, by status.
        pub const ALL: &[ProblemType] = &[$($name),*];
    };
}

problem_types! {
    MALFORMED = BAD_REQUEST, "malformed", "Malformed request",
        "The request can't be read: the body is no valid JSON, ended early, or isn't UTF-8, or a signature doesn't fit.";
    NOT_SIGNED_IN = UNAUTHORIZED, "not_signed_in", "Not signed in",
        "The request needs a session cookie or an API key, and has none that is valid.";
    WRONG_CREDENTIALS = UNAUTHORIZED, "wrong_credentials", "Wrong credentials",
        "The e-mail address or the password is wrong.";
    CARD_DECLINED = PAYMENT_REQUIRED, "card_declined", "Card declined",
        "The payment didn't succeed. decline_code has the bank's reason in Stripe's words, where it gave one.";
    LIMIT_REACHED = PAYMENT_REQUIRED, "limit_reached", "Limit reached",
        "The tokens don't fit into what is left. limit says whose: the group's allowance, the member's cap or the API \
         key's; resets_at when usage starts anew; suggested_plan what would give more.";
    NO_ACCESS = PAYMENT_REQUIRED, "no_access", "No access",
        "The group's subscription gives no access to tokens in its present status.";
    FORBIDDEN = FORBIDDEN, "forbidden", "Forbidden",
        "The caller is signed in, and its role doesn't allow this, or it asks by an API key, which doesn't.";
    CROSS_ORIGIN = FORBIDDEN, "cross_origin", "Cross-origin request",
        "A browser sent this from a page of another site.";
    SIGNUP_CLOSED = FORBIDDEN, "signup_closed", "Sign-up closed",
        "Accounts are made by invitation only.";
    NOT_FOUND = NOT_FOUND, "not_found", "Not found",
        "There is nothing at this path, or nothing with this id, or it belongs to another group.";
    NO_SUBSCRIPTION = NOT_FOUND, "no_subscription", "No subscription",
        "The group has no subscription.";
    INVITATION_GONE = NOT_FOUND, "invitation_gone", "Invitation gone",
        "The invitation has expired, was used or was withdrawn.";
    RESET_GONE = NOT_FOUND, "reset_gone", "Password link gone",
        "The link that sets a new password has expired, was used, or a newer one was asked for.";
    METHOD_NOT_ALLOWED = METHOD_NOT_ALLOWED, "method_not_allowed", "Method not allowed",
        "The path doesn't take this method. The Allow header lists those it takes.";
    REQUEST_TIMEOUT = REQUEST_TIMEOUT, "request_timeout", "Request timeout",
        "The body didn't arrive in time.";
    SUBSCRIPTION_EXISTS = CONFLICT, "subscription_exists", "Subscription exists",
        "The group already has a live subscription, or is buying one; it can have one.";
    STRIPE_REFUSED = CONFLICT, "stripe_refused", "Refused by Stripe",
        "Stripe refuses what is asked, for a reason other than the card; the detail says why.";
    MAX_USERS_REACHED = CONFLICT, "max_users_reached", "No seat left",
        "The seats of the group's plan are taken by members and open invitations.";
    TOO_MANY_MEMBERS = CONFLICT, "too_many_members", "Too many members",
        "The plan has fewer seats than the group has members.";
    TOO_MANY_KEYS = CONFLICT, "too_many_keys", "Too many API keys",
        "The user has as many API keys as one may have. Revoke one first.";
    LAST_ADMIN = CONFLICT, "last_admin", "Last admin",
        "The group needs at least one admin: make another member an admin first.";
    EMAIL_TAKEN = CONFLICT, "email_taken", "E-mail address taken",
        "There is an account with this e-mail address already.";
    PLAN_ARCHIVED = CONFLICT, "plan_archived", "Plan archived",
        "The plan can't be bought any more.";
    EVENT_MISMATCH = CONFLICT, "event_mismatch", "Event mismatch",
        "An event with this id was recorded before, with another body.";
    HOLD_MISMATCH = CONFLICT, "hold_mismatch", "Hold mismatch",
        "A hold with this id was asked for before, with another body.";
    HOLD_SETTLED = CONFLICT, "hold_settled", "Hold settled",
        "The hold was settled: it can't be released or extended, or settled with another body.";
    HOLD_RELEASED = CONFLICT, "hold_released", "Hold released",
        "The hold was released: it can't be settled or extended.";
    IDEMPOTENCY_MISMATCH = CONFLICT, "idempotency_mismatch", "Idempotency-Key mismatch",
        "The Idempotency-Key was used before, with another request.";
    IDEMPOTENCY_IN_PROGRESS = CONFLICT, "idempotency_in_progress", "Request in progress",
        "A request with this Idempotency-Key is still running. Repeat the request later to get its answer.";
    CONFLICT = CONFLICT, "conflict", "Conflict",
        "What is asked doesn't fit the present state; the detail says why.";
    TOO_LARGE = PAYLOAD_TOO_LARGE, "too_large", "Too large",
        "The body is larger than this path takes.";
    NOT_JSON = UNSUPPORTED_MEDIA_TYPE, "not_json", "Not JSON",
        "The body isn't announced as JSON by the header Content-Type: application/json.";
    INVALID = UNPROCESSABLE_ENTITY, "invalid", "Invalid",
        "A value is invalid, missing or unknown. errors names each field and says what is wrong with it.";
    TOO_MANY_ATTEMPTS = TOO_MANY_REQUESTS, "too_many_attempts", "Too many attempts",
        "Try again after as many seconds as retry_after and the header Retry-After say.";
    INTERNAL = INTERNAL_SERVER_ERROR, "internal", "Internal error",
        "A defect of this server. Its log has the request's id.";
    UNAVAILABLE = SERVICE_UNAVAILABLE, "unavailable", "Unavailable",
        "The database or Stripe is out of reach, or there is too much to do. Nothing was decided: repeat the request, \
         after as many seconds as Retry-After says where it is given.";
}

/// The type of a refusal.
pub fn of(refusal: &Refusal) -> &'static ProblemType {
    match refusal {
        Refusal::Malformed(_) => &MALFORMED,
        Refusal::NotSignedIn => &NOT_SIGNED_IN,
        Refusal::WrongCredentials => &WRONG_CREDENTIALS,
        Refusal::CardDeclined { .. } => &CARD_DECLINED,
        Refusal::Forbidden(_) => &FORBIDDEN,
        Refusal::CrossOrigin => &CROSS_ORIGIN,
        Refusal::SignupClosed => &SIGNUP_CLOSED,
        Refusal::NotFound(_) => &NOT_FOUND,
        Refusal::NoSubscription => &NO_SUBSCRIPTION,
        Refusal::InvitationGone => &INVITATION_GONE,
        Refusal::ResetGone => &RESET_GONE,
        Refusal::SubscriptionExists | Refusal::PurchaseInProgress => &SUBSCRIPTION_EXISTS,
        Refusal::StripeRefused(_) => &STRIPE_REFUSED,
        Refusal::MaxUsersReached(_) => &MAX_USERS_REACHED,
        Refusal::TooManyMembers { .. } => &TOO_MANY_MEMBERS,
        Refusal::TooManyKeys(_) => &TOO_MANY_KEYS,
        Refusal::LastAdmin => &LAST_ADMIN,
        Refusal::EmailTaken => &EMAIL_TAKEN,
        Refusal::PlanArchived => &PLAN_ARCHIVED,
        Refusal::EventMismatch { .. } => &EVENT_MISMATCH,
        Refusal::LimitReached(_) => &LIMIT_REACHED,
        Refusal::NoAccess => &NO_ACCESS,
        Refusal::HoldMismatch { .. } => &HOLD_MISMATCH,
        Refusal::HoldSettled => &HOLD_SETTLED,
        Refusal::HoldReleased => &HOLD_RELEASED,
        Refusal::IdempotencyMismatch => &IDEMPOTENCY_MISMATCH,
        Refusal::IdempotencyInProgress => &IDEMPOTENCY_IN_PROGRESS,
        Refusal::Conflict(_) => &CONFLICT,
        Refusal::TooManyAttempts { .. } => &TOO_MANY_ATTEMPTS,
        Refusal::Invalid(_) => &INVALID,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_told_apart_and_grouped_by_status() {
        let codes: std::collections::BTreeSet<_> = ALL.iter().map(|kind| kind.code).collect();
        assert_eq!(codes.len(), ALL.len());
        assert!(ALL.is_sorted_by_key(|kind| kind.status));
    }
}
