//! Names to addresses that may be reached. The connection goes to what this resolver answers: there is no second
//! look-up between the check and the connection that could answer something else.

use domain::notices::EgressRules;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

/// The name leads nowhere that may be reached.
#[derive(Debug)]
pub struct AddressRefused;

impl fmt::Display for AddressRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the address may not be reached")
    }
}

impl std::error::Error for AddressRefused {}

/// The operating system's resolver behind the rules.
pub struct GuardedResolver {
    pub rules: Arc<EgressRules>,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let rules = self.rules.clone();
        Box::pin(async move {
            // The port is the URL's; zero is a place-holder that the connector replaces.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let permitted: Vec<SocketAddr> = found.filter(|address| rules.permits(address.ip())).collect();
            if permitted.is_empty() {
                return Err(Box::new(AddressRefused) as Box<dyn std::error::Error + Send + Sync>);
            }
            Ok(Box::new(permitted.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::str::FromStr;

    async fn resolve(
        name: &str,
        allowed: &[&str],
    ) -> Result<Vec<SocketAddr>, Box<dyn std::error::Error + Send + Sync>> {
        let allowed_networks = allowed.iter().map(|network| network.parse().unwrap()).collect();
        let resolver = GuardedResolver { rules: Arc::new(EgressRules { allowed_networks, plain_http: false }) };
        Ok(resolver.resolve(Name::from_str(name).unwrap()).await?.collect())
    }

    #[tokio::test]
    async fn a_name_that_leads_home_is_refused_unless_that_network_is_allowed() {
        let refused = resolve("localhost", &[]).await.unwrap_err();
        assert!(refused.downcast_ref::<AddressRefused>().is_some());
        let found = resolve("localhost", &["127.0.0.0/8"]).await.unwrap();
        assert!(!found.is_empty() && found.iter().all(SocketAddr::is_ipv4), "{found:?}");
    }
}
