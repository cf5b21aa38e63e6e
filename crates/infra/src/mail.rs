//! Mail over SMTP.

use crate::failpoints::{self, Point};
use async_trait::async_trait;
use domain::notices::{FailureReason, Mail, Mailer, Outcome};
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::response::Severity;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(10);
/// Replies by which the server refuses us, not the message: authentication is missing or failed.
const OUR_FAULT: std::ops::RangeInclusive<u16> = 530..=538;

/// How the connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailTls {
    /// From the first byte; port 465.
    Implicit,
    /// After STARTTLS, which must work; port 587.
    StartTls,
    /// Not at all; for a server on the same machine.
    None,
}

/// Where mails are handed in.
#[derive(Clone)]
pub struct MailSettings {
    pub host: String,
    pub port: u16,
    pub tls: MailTls,
    /// User name and password.
    pub login: Option<(String, String)>,
    /// `Suanpan <noreply@example.com>`.
    pub from: String,
}

pub struct SmtpMailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl SmtpMailer {
    pub fn new(settings: MailSettings) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let tls = match settings.tls {
            MailTls::Implicit => Tls::Wrapper(TlsParameters::new(settings.host.clone())?),
            MailTls::StartTls => Tls::Required(TlsParameters::new(settings.host.clone())?),
            MailTls::None => Tls::None,
        };
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&settings.host)
            .port(settings.port)
            .tls(tls)
            .timeout(Some(TIMEOUT));
        if let Some((user, password)) = settings.login {
            transport = transport.credentials(Credentials::new(user, password));
        }
        Ok(Self { transport: transport.build(), from: settings.from.parse()? })
    }

    fn message(&self, mail: &Mail) -> Option<Message> {
        let domain = self.from.email.domain();
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, mail.to.parse().ok()?))
            .subject(&mail.letter.subject)
            .message_id(Some(format!("<{}@{domain}>", mail.id)))
            // So that out-of-office replies are not sent.
            .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()))
            .header(ContentType::TEXT_PLAIN)
            .body(mail.letter.body.clone())
            .ok()
    }
}

/// Whether the text can be a sender.
pub fn is_sender(text: &str) -> bool {
    text.parse::<Mailbox>().is_ok()
}

#[async_trait]
impl Mailer for SmtpMailer {
    async fn send(&self, mail: &Mail) -> Outcome {
        let Some(message) = self.message(mail) else {
            return Outcome::Hopeless(FailureReason::MailRefused);
        };
        failpoints::reach(Point::BeforeCall);
        let sent = self.transport.send(message).await;
        failpoints::reach(Point::AfterCall);
        match sent {
            Ok(response) if response.is_positive() => Outcome::Accepted(None),
            Ok(_) => Outcome::Failed(FailureReason::MailRefused, None),
            Err(error) => {
                // The reply may repeat the address, so it is not logged at a level that is kept.
                tracing::debug!(%error, "a mail was not sent");
                of_error(&error)
            }
        }
    }
}

fn of_error(error: &lettre::transport::smtp::Error) -> Outcome {
    match error.status() {
        Some(code) if code.severity == Severity::PermanentNegativeCompletion && !OUR_FAULT.contains(&code.into()) => {
            Outcome::Hopeless(FailureReason::MailRefused)
        }
        Some(code) => Outcome::Failed(FailureReason::MailRefused, Some(code.into())),
        None if error.is_timeout() => Outcome::Failed(FailureReason::Timeout, None),
        None => Outcome::Failed(FailureReason::ConnectionFailed, None),
    }
}

/// What stands in when mail is off: events that waited from before end as dead letters.
pub struct NoMailer;

#[async_trait]
impl Mailer for NoMailer {
    async fn send(&self, _mail: &Mail) -> Outcome {
        Outcome::Hopeless(FailureReason::MailRefused)
    }
}
