//! Test clocks: the time that the demo's customers live by.

use std::time::Duration;

use chrono::{DateTime, Utc};
use stripe_billing::test_helpers_test_clock::{
    AdvanceTestHelpersTestClock, CreateTestHelpersTestClock, ListTestHelpersTestClock,
    RetrieveTestHelpersTestClock,
};
use stripe_shared::{TestHelpersTestClock, TestHelpersTestClockStatus};

use super::{Failure, Result, Stripe};

/// How far a clock is advanced at a time: Stripe takes two intervals of its shortest subscription at most.
const STEP: i64 = 28 * 86_400;
/// Between two looks at a clock that is being advanced, and how many there are.
const LOOK: Duration = Duration::from_millis(5);
const LOOKS: u32 = 2_000;

impl Stripe {
    /// The test clock of this name, made where there is none: it stands at `at` then.
    pub async fn clock_named(&self, name: &str, at: DateTime<Utc>) -> Result<TestHelpersTestClock> {
        let all = ListTestHelpersTestClock::new().limit(100).send(&self.client).await?;
        match all.data.into_iter().find(|clock| clock.name.as_deref() == Some(name)) {
            Some(clock) => Ok(clock),
            None => Ok(CreateTestHelpersTestClock::new(at.timestamp()).name(name).send(&self.client).await?),
        }
    }

    /// Brings a clock to `to`, with all that falls due until then. One that is ahead stays so.
    pub async fn advance_clock(&self, clock: &mut TestHelpersTestClock, to: DateTime<Utc>) -> Result<()> {
        while clock.frozen_time < to.timestamp() {
            let next = to.timestamp().min(clock.frozen_time + STEP);
            AdvanceTestHelpersTestClock::new(clock.id.clone(), next).send(&self.client).await?;
            *clock = self.arrived(clock).await?;
        }
        Ok(())
    }

    async fn arrived(&self, clock: &TestHelpersTestClock) -> Result<TestHelpersTestClock> {
        for _ in 0..LOOKS {
            let now = RetrieveTestHelpersTestClock::new(clock.id.clone()).send(&self.client).await?;
            if now.status == TestHelpersTestClockStatus::Ready {
                return Ok(now);
            }
            tokio::time::sleep(LOOK).await;
        }
        Err(Failure::NoAnswer(format!("{} isn't where it is advanced to", clock.id.as_str())))
    }
}
