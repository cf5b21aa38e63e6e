//! What every payment adapter must do, shown against a provider with real keys over real HTTP.

mod faults;
mod life;
mod notifications;
mod subscriptions;
