//! The loops that tell: from the outbox to lanes, and from lanes to receivers.

use super::Doing;
use domain::notices::Room;

impl Doing {
    pub(super) async fn fan_out(&mut self) {
        let told = self.services().fan_out.round().await;
        self.count("fanned out", "not fanned out", &told);
        self.tell("fans out", &told);
    }

    pub(super) async fn deliver(&mut self) {
        let courier = &self.services().courier;
        let claimed = courier.claim(Room { healthy: 2, failing: 1 }).await;
        let Ok(claimed) = claimed else { return };
        for lane in claimed {
            let id = lane.lane.id;
            let served = courier.serve(lane).await;
            self.count("lane served", "lane not served", &served);
            self.tell(&format!("serves {id}"), &served);
        }
    }
}
