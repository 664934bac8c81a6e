//! All groups, for the SuperAdmin: the list, and one group as its admin sees it.
//!
//! Owns: what is asked of the list, and that nobody looks into a group without a row that says who, why and when. Doesn't
//! own: the figures, which are those of the ledger, of billing and of the team. It writes nothing but visits.
//!
//! Nobody becomes the group's admin for it: what is shown is read by the group's id, so there is nothing that could be
//! done in the admin's name.

mod query;

use chrono::{DateTime, Duration, SubsecRound, Utc};
use uuid::Uuid;

use crate::clock::Clock;
use crate::domain::{
    GroupId, GroupSummary, GroupVisit, Invitation, Invoice, MAX_REASON, Member, PerType, PeriodDays,
    PeriodUsage, PlanId, Refusal, Share, Subscription, Usage, User, UserId, VisitVia, multiline_text,
};
use crate::error::{Error, Result};
use crate::storage::{
    AllowanceRow, GroupFilter, GroupList, GroupRow, OverageCharge, PageRequest, PageRows, Store, SummaryRow,
};

pub use query::{GroupFields, GroupKey, GroupsQuery};

/// How long one may look at a group for a reason that was given once.
const VISIT: Duration = Duration::hours(1);
/// Visits, charges and earlier periods that are shown.
const VISITS: i64 = 50;
const CHARGES: i64 = 50;
const PERIODS: i64 = 24;

/// The groups, for the SuperAdmin. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Groups {
    store: Store,
    clock: Clock,
    grace_days: u32,
}

/// A part of the list.
#[derive(Clone, Debug)]
pub struct GroupsPage {
    pub groups: Vec<GroupSummary>,
    /// For the page after this one; none on the last.
    pub next: Option<GroupKey>,
    /// For the page before this one; none on the first.
    pub previous: Option<GroupKey>,
}

/// Which parts of a group's longer lists to show.
#[derive(Clone, Debug)]
pub struct GroupParts {
    pub members: PageRequest<UserId>,
    /// By the ids that invoices have at Stripe.
    pub invoices: PageRequest<String>,
}

/// One group.
#[derive(Clone, Debug)]
pub struct GroupView {
    pub summary: GroupSummary,
    pub subscription: Option<Subscription>,
    /// None without an allowance.
    pub usage: Option<Usage>,
    /// What was used on each whole day of the period that is over, for the forecast.
    pub days: PerType<Vec<i64>>,
    pub members: PageRows<Member>,
    /// What each member has used in the period, and its caps; in the order of `members`.
    pub shares: Vec<PerType<Share>>,
    pub invitations: Vec<Invitation>,
    pub invoices: PageRows<Invoice>,
    pub charges: Vec<OverageCharge>,
    pub history: Vec<PeriodUsage>,
}

/// What a SuperAdmin finds at a group's page.
#[derive(Clone, Debug)]
pub struct Entrance {
    pub name: String,
    /// None where a reason has to be given first.
    pub visit: Option<OpenVisit>,
    /// The latest first.
    pub visits: Vec<GroupVisit>,
}

/// A visit that is under way, and what it shows.
#[derive(Clone, Debug)]
pub struct OpenVisit {
    pub visit: GroupVisit,
    pub ends_at: DateTime<Utc>,
    pub view: GroupView,
}

impl Groups {
    pub fn new(store: Store, clock: Clock, grace_days: u32) -> Self {
        Self { store, clock, grace_days }
    }

    /// A part of the list, of at most `limit` groups.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] for anyone but a SuperAdmin; [`Refusal::Invalid`] for a plan that there isn't; the database's.
    pub async fn page(&self, user: &User, query: &GroupsQuery, limit: usize) -> Result<GroupsPage> {
        user.must_be_superadmin()?;
        if let Some(plan) = query.filter.plan {
            self.must_be_a_plan(plan).await?;
        }
        let as_of = query.key.as_ref().map_or_else(|| self.clock.now().trunc_subsecs(0), |key| key.as_of);
        let backwards = query.key.as_ref().is_some_and(|key| key.backwards);
        let list = GroupList { sort: query.sort, as_of, backwards };
        let after = query.key.as_ref().map(|key| key.position.clone());
        let PageRows { rows, more } =
            self.store.groups_page(list, &query.filter, &PageRequest { after, limit }).await?;
        let key = |row: &GroupRow, backwards| GroupKey {
            sort: query.sort,
            as_of,
            backwards,
            position: row.position.clone(),
        };
        // Where one came from there are others; the other way, one more was read than is shown.
        let (has_previous, has_next) = if backwards { (more, true) } else { (query.key.is_some(), more) };
        let next = rows.last().filter(|_| has_next).map(|row| key(row, false));
        let previous = rows.first().filter(|_| has_previous).map(|row| key(row, true));
        Ok(GroupsPage { groups: rows.into_iter().map(|row| row.summary).collect(), next, previous })
    }

    async fn must_be_a_plan(&self, plan: PlanId) -> Result<()> {
        match self.store.plan(plan).await {
            Err(Error::Refused(Refusal::NotFound(_))) => {
                Err(Refusal::field("plan", "There is no such plan.").into())
            }
            found => found.map(drop),
        }
    }

    /// A group's page: what it shows while a visit is under way, and who visited it.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] for anyone but a SuperAdmin; [`Refusal::NotFound`]; a refusal on `cursor` for an invoice that
    /// there isn't; the database's.
    pub async fn entrance(&self, user: &User, group: GroupId, parts: &GroupParts) -> Result<Entrance> {
        user.must_be_superadmin()?;
        let name = self.store.group_name(group).await?;
        let since = self.clock.now() - VISIT;
        let visit = match self.store.open_group_visit(group, user.id, VisitVia::Page, since).await? {
            Some(visit) => {
                let (ends_at, view) = (visit.created_at + VISIT, self.view(group, parts).await?);
                Some(OpenVisit { visit, ends_at, view })
            }
            None => None,
        };
        Ok(Entrance { name, visit, visits: self.store.group_visits(group, VISITS).await? })
    }

    /// Lets a SuperAdmin look at a group's page for an hour, for a reason that is kept.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] for anyone but a SuperAdmin; [`Refusal::Invalid`]; [`Refusal::NotFound`]; the database's.
    pub async fn enter(&self, user: &User, group: GroupId, reason: &str) -> Result<()> {
        user.must_be_superadmin()?;
        let reason = multiline_text(reason, "Reason", 1, MAX_REASON)
            .map_err(|message| Refusal::field("reason", message))?;
        self.store.group_name(group).await?;
        let now = self.clock.now();
        self.store.add_group_visit(group, user.id, VisitVia::Page, Some(&reason), now, now).await
    }

    /// One group and who visited it, for the API: the visit is kept with the reason, if one is given, once an hour.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] for anyone but a SuperAdmin; [`Refusal::Invalid`] for a reason that is too long, and on
    /// `cursor` for an invoice that there isn't; [`Refusal::NotFound`]; the database's.
    pub async fn by_api(
        &self,
        user: &User,
        group: GroupId,
        reason: Option<&str>,
        parts: &GroupParts,
    ) -> Result<(GroupView, Vec<GroupVisit>)> {
        user.must_be_superadmin()?;
        let reason = multiline_text(reason.unwrap_or_default(), "Reason", 0, MAX_REASON)
            .map_err(|message| Refusal::field("reason", message))?;
        let reason = Some(reason.as_str()).filter(|reason| !reason.is_empty());
        self.store.group_name(group).await?;
        let now = self.clock.now();
        self.store.add_group_visit(group, user.id, VisitVia::Api, reason, now - VISIT, now).await?;
        Ok((self.view(group, parts).await?, self.store.group_visits(group, VISITS).await?))
    }

    async fn view(&self, group: GroupId, parts: &GroupParts) -> Result<GroupView> {
        let now = self.clock.now();
        let summary = self.summary(group, now).await?;
        let subscription = self.store.live_subscription(group).await?;
        // Nobody of the group asks: nobody's part of it is meant.
        let nobody = UserId(Uuid::nil());
        let allowance = self.store.allowance(group, nobody, now).await?.map(|(row, _)| row);
        let allowance = allowance.filter(|_| summary.usage.is_some());
        let days = match &allowance {
            Some(row) => self.whole_days(row, now).await?,
            None => PerType::default(),
        };
        let usage = allowance.map(|row| Usage { you: None, ..row.usage(&Default::default(), now) });
        let members = self.store.members_page(group, parts.members).await?;
        let shares = self.store.shares(group, now).await?;
        let share_of = |member: &Member| {
            let share = shares.iter().find(|share| share.subject_id == member.id.0);
            share.map(|share| share.counters.shares()).unwrap_or_default()
        };
        Ok(GroupView {
            shares: members.rows.iter().map(share_of).collect(),
            members,
            subscription: subscription.map(|row| row.subscription(self.grace_days, now)),
            usage,
            days,
            invitations: self.store.invitations(group, now).await?,
            invoices: self.store.invoices_page(group, &parts.invoices).await?,
            charges: self.store.overage_charges(group, CHARGES).await?,
            history: self
                .store
                .past_periods(group, now, PERIODS)
                .await?
                .iter()
                .map(SummaryRow::period_usage)
                .collect(),
            summary,
        })
    }

    /// The group as the list has it.
    async fn summary(&self, group: GroupId, now: DateTime<Utc>) -> Result<GroupSummary> {
        let query = GroupsQuery::default();
        let filter = GroupFilter { group: Some(group), ..GroupFilter::default() };
        let list = GroupList { sort: query.sort, as_of: now.trunc_subsecs(0), backwards: false };
        let page = self.store.groups_page(list, &filter, &PageRequest { after: None, limit: 1 }).await?;
        let row = page.rows.into_iter().next();
        row.map(|row| row.summary).ok_or_else(|| Refusal::NotFound("group".into()).into())
    }

    async fn whole_days(&self, row: &AllowanceRow, now: DateTime<Utc>) -> Result<PerType<Vec<i64>>> {
        let Some(summary) = row.summary_id else { return Ok(PerType::default()) };
        let rows = self.store.period_days(row.group_id, summary).await?;
        let sums = rows.iter().map(|row| (row.began_at(), row.sums()));
        Ok(PeriodDays::new(row.period(), sums).whole_days(now))
    }
}
