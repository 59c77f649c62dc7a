//! The words of the trail. They are stored and hashed: a word that was released is never changed.

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The word as it is stored.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }

        impl std::str::FromStr for $name {
            type Err = ();

            fn from_str(word: &str) -> Result<Self, ()> {
                Self::ALL.iter().copied().find(|known| known.as_str() == word).ok_or(())
            }
        }
    };
}

words! {
    /// What was done, or tried.
    Act {
        ClientCreated = "client_created",
        ClientChanged = "client_changed",
        ClientDeleted = "client_deleted",
        OriginsChanged = "origins_changed",
        AccessKeyCreated = "access_key_created",
        AccessKeyDeleted = "access_key_deleted",
        /// Bad pairs of keys that named a client; counted, one entry for a stretch of time.
        AccessKeyRefused = "access_key_refused",
        WebhookCreated = "webhook_created",
        WebhookChanged = "webhook_changed",
        WebhookDeleted = "webhook_deleted",
        WebhookSecretRotated = "webhook_secret_rotated",
        TemplateCreated = "template_created",
        TemplateChanged = "template_changed",
        TemplateDeleted = "template_deleted",
        ConsentGiven = "consent_given",
        ConsentRenewed = "consent_renewed",
        ConsentEnded = "consent_ended",
        ConsentRevoked = "consent_revoked",
        LinkDeleted = "link_deleted",
        AccessTokenIssued = "access_token_issued",
        AccessTokenRevoked = "access_token_revoked",
        PublicTokenReplayed = "public_token_replayed",
        UserDeleted = "user_deleted",
        /// Consumer data left for the client; the detail names the fields.
        DataReleased = "data_released",
        /// A member saw what is masked otherwise.
        DataRevealed = "data_revealed",
        DocumentReleased = "document_released",
        ExportMade = "export_made",
        PersonFileMade = "person_file_made",
        DisputeFlagged = "dispute_flagged",
        DisputeLifted = "dispute_lifted",
        HoldSet = "hold_set",
        HoldLifted = "hold_lifted",
        SandboxReset = "sandbox_reset",
        SandboxClockTurned = "sandbox_clock_turned",
        RootKeyAdded = "root_key_added",
        RootKeyRotated = "root_key_rotated",
        RootKeyEmptied = "root_key_emptied",
        RootKeyRemoved = "root_key_removed",
        BackupMade = "backup_made",
        BackupRestored = "backup_restored",
        BackupSettled = "backup_settled",
        RetentionRan = "retention_ran",
        SchemaMigrated = "schema_migrated",
        ServerStarted = "server_started",
        ConfigurationChanged = "configuration_changed",
        AuditListed = "audit_listed",
        SignInLimited = "sign_in_limited",
        OwnerSetUp = "owner_set_up",
        MemberSignedIn = "member_signed_in",
        MemberSignInRefused = "member_sign_in_refused",
        MemberSignedOut = "member_signed_out",
        MemberInvited = "member_invited",
        MemberInvitationEnded = "member_invitation_ended",
        MemberJoined = "member_joined",
        MemberRoleChanged = "member_role_changed",
        MemberDisabled = "member_disabled",
        MemberRemoved = "member_removed",
        PasswordChanged = "password_changed",
        PasswordResetAsked = "password_reset_asked",
        PasswordReset = "password_reset",
        FactorAdded = "factor_added",
        FactorRemoved = "factor_removed",
        FactorConfirmed = "factor_confirmed",
        FactorRefused = "factor_refused",
        RecoveryCodesMade = "recovery_codes_made",
        RecoveryCodeUsed = "recovery_code_used",
        SessionEnded = "session_ended",
        PermissionRefused = "permission_refused",
        RequestLogViewed = "request_log_viewed",
        /// The detail tells how many deliveries.
        EventsResent = "events_resent",
    }
}

words! {
    /// Who acts.
    ActorKind {
        /// A client's back end.
        AccessKey = "access_key",
        /// Somebody who signed in to the dashboard.
        Member = "member",
        /// A person in the widget.
        Consumer = "consumer",
        /// The command line, on the server's machine.
        Operator = "operator",
        /// Nobody asked: a job, or a start.
        Server = "server",
        /// Nobody who could be told.
        Stranger = "stranger",
    }
}

words! {
    /// What is acted on.
    ObjectKind {
        Client = "client",
        AccessKey = "access_key",
        Webhook = "webhook",
        Template = "template",
        Link = "link",
        User = "user",
        Report = "report",
        Order = "order",
        Member = "member",
        Session = "session",
        Sandbox = "sandbox",
        RootKey = "root_key",
        Server = "server",
    }
}

words! {
    /// What came of it.
    Outcome {
        Done = "done",
        Refused = "refused",
    }
}
