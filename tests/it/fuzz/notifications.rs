//! What providers send: nothing but exactly what was signed is believed.

use super::engine::Inputs;
use domain::orders::RawNotification;
use fakepay::{Twist, actions, compose};
use harness::payments::{KINDS, adapter, fake, order, raw};

#[tokio::test(flavor = "multi_thread")]
async fn fuzz_notifications() {
    let fake = fake();
    for kind in KINDS {
        let provider = adapter(&fake, kind);
        let mut signed = Vec::new();
        for _ in 0..3 {
            let order = order();
            provider.place(&order).await.unwrap();
            let number = order.number.to_string();
            actions::pay(&fake.shared, kind, &number).unwrap();
            let message = actions::messages(&fake.shared, kind, Some(&number)).pop().unwrap();
            signed.push(raw(compose(&fake.shared, &message, Twist::None).unwrap()));
        }
        let wanted: Vec<_> = signed.iter().map(|original| provider.read_notification(original).unwrap()).collect();
        let corpus = signed.iter().map(|message| message.body.clone()).collect();
        let mut believed = 0;
        for body in Inputs::over("notifications", corpus, 3_000) {
            for original in &signed {
                let mutated = RawNotification { headers: original.headers.clone(), body: body.clone() };
                let read = provider.read_notification(&mutated);
                if let Ok(read) = read {
                    believed += 1;
                    // Alipay signs the fields and not the bytes: the same fields may be written differently.
                    let same = wanted.iter().any(|wanted| wanted.message == read.message && wanted.about == read.about);
                    assert!(same, "{kind:?}: {:?}", String::from_utf8_lossy(&body));
                }
            }
        }
        assert!(believed >= signed.len(), "{kind:?}: what was signed is believed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fuzz_signatures() {
    let fake = fake();
    for kind in KINDS {
        let provider = adapter(&fake, kind);
        let order = order();
        provider.place(&order).await.unwrap();
        actions::pay(&fake.shared, kind, &order.number.to_string()).unwrap();
        let message = actions::messages(&fake.shared, kind, Some(&order.number.to_string())).pop().unwrap();
        let original = raw(compose(&fake.shared, &message, Twist::None).unwrap());
        let wanted = provider.read_notification(&original).unwrap();
        let values: Vec<_> = original.headers.iter().map(|(_, value)| value.clone().into_bytes()).collect();
        let mut inputs = Inputs::over("signatures", values, 3_000);
        while let Some(value) = inputs.next() {
            let mut mutated = RawNotification { headers: original.headers.clone(), body: original.body.clone() };
            let header = inputs.below(mutated.headers.len());
            mutated.headers[header].1 = String::from_utf8_lossy(&value).into_owned();
            if let Ok(read) = provider.read_notification(&mutated) {
                assert!(
                    read.message == wanted.message && read.about == wanted.about,
                    "{kind:?}: {:?}",
                    mutated.headers
                );
            }
        }
    }
}
