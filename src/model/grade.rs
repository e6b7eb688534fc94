//! How findings are graded: what a part is, what it is worth, how sure it is.
//!
//! Must not know: anything else; the build script includes this file to check packs.

/// What a part is in its credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum Role {
    /// Names the account or key; worth nothing alone.
    Identifier,
    /// Signs requests together with an identifier.
    Secret,
    /// A passphrase that people choose.
    Passphrase,
    /// A private key that proves itself.
    PrivateKey,
    /// A seed phrase.
    Mnemonic,
    /// Enough alone, like a bearer token.
    Token,
    /// A URL with a password in it.
    ConnectionString,
}

impl Role {
    /// The word used in rules, JSON and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Identifier => "identifier",
            Self::Secret => "secret",
            Self::Passphrase => "passphrase",
            Self::PrivateKey => "private-key",
            Self::Mnemonic => "mnemonic",
            Self::Token => "token",
            Self::ConnectionString => "connection-string",
        }
    }

    /// The role of that word.
    pub fn parse(word: &str) -> Option<Self> {
        const ALL: [Role; 7] = [
            Role::Identifier,
            Role::Secret,
            Role::Passphrase,
            Role::PrivateKey,
            Role::Mnemonic,
            Role::Token,
            Role::ConnectionString,
        ];
        ALL.into_iter().find(|role| role.as_str() == word)
    }
}

/// What somebody who has it can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum Severity {
    /// Reads what is nearly public.
    Low,
    /// Reads private data or spends a quota.
    Medium,
    /// Acts for somebody.
    High,
    /// Moves funds or owns the account.
    Critical,
}

impl Severity {
    /// The word used in rules, JSON and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The severity of that word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Low, Self::Medium, Self::High, Self::Critical]
            .into_iter()
            .find(|severity| severity.as_str() == word)
    }
}

/// How sure it is that this is what it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum Confidence {
    /// A random value with a name that could mean a secret.
    Possible,
    /// Shape and context agree.
    Likely,
    /// Proved by a checksum or self-identifying.
    Certain,
}

impl Confidence {
    /// The word used in options, JSON and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Possible => "possible",
            Self::Likely => "likely",
            Self::Certain => "certain",
        }
    }
}
