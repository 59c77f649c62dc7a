//! The few kinds of values that both databases keep, and how rows are read.

use std::{error::Error as StdError, fmt};

use citadel_domain::{
    AccessKeyId, BridgeTokenId, CallId, ClientId, CompanyId, ConsentId, DeletionId, DeliveryId, Environment,
    EventId, JobId, LinkId, MemberId, ObjectId, OrderEmployerId, OrderId, OrderStatus, PasskeyId,
    PayrollReportId, Product, PublicTokenId, Role, ScenarioId, ScreenId, SessionId, TaskId, TaskStatus,
    TemplateId, UserId, UserReportId, WebhookId,
};
use jiff::Timestamp;
use rusqlite::types::{ToSqlOutput, ValueRef as SqliteValue};
use tokio_postgres::types::{IsNull, Type, private::BytesMut};

use crate::Error;

/// A value on its way to or from the database.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing.
    Null,
    /// Every whole number, and times as microseconds since 1970.
    Int(i64),
    /// `boolean`; 0 or 1 on SQLite.
    Bool(bool),
    /// Text without NUL.
    Text(String),
    /// Hashes and sealed data.
    Bytes(Vec<u8>),
    /// An id: `uuid` on Postgres, sixteen bytes on SQLite.
    Id([u8; 16]),
}

/// The kind and size only: values may be personal, and drivers print parameters in their own logs (P57).
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Int(_) => f.write_str("int"),
            Self::Bool(_) => f.write_str("bool"),
            Self::Text(text) => write!(f, "text of {} bytes", text.len()),
            Self::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::Id(_) => f.write_str("id"),
        }
    }
}

impl Value {
    /// What a statement is told that is not prepared. The database finds out for itself what a null is.
    pub(crate) const fn postgres_type(&self) -> Type {
        match self {
            Self::Null => Type::UNKNOWN,
            Self::Int(_) => Type::INT8,
            Self::Bool(_) => Type::BOOL,
            Self::Text(_) => Type::TEXT,
            Self::Bytes(_) => Type::BYTEA,
            Self::Id(_) => Type::UUID,
        }
    }
}

/// The parameters of a statement, in the order of `$1`, `$2`, ….
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        &[$($crate::Value::from($value)),*] as &[$crate::Value]
    };
}
pub(crate) use params;

/// A value as it lies in a row.
#[derive(Clone, Copy)]
pub enum ValueRef<'a> {
    /// Nothing.
    Null,
    /// Every whole number, and times as microseconds since 1970.
    Int(i64),
    /// `boolean` of Postgres.
    Bool(bool),
    /// Text.
    Text(&'a str),
    /// Hashes, sealed data, and the ids of SQLite.
    Bytes(&'a [u8]),
    /// `uuid` of Postgres.
    Id([u8; 16]),
}

/// A type that can be read from a column.
pub trait FromValue: Sized {
    /// `None` when the value is of another kind.
    fn from_value(value: ValueRef<'_>) -> Option<Self>;
}

/// One row of an answer.
pub enum Row<'a> {
    /// From SQLite.
    Sqlite(&'a rusqlite::Row<'a>),
    /// From Postgres.
    Postgres(&'a tokio_postgres::Row),
}

impl Row<'_> {
    /// The column at `index`, from 0.
    pub fn get<T: FromValue>(&self, index: usize) -> Result<T, Error> {
        let value = match self {
            Self::Sqlite(row) => match row.get_ref(index)? {
                SqliteValue::Null => ValueRef::Null,
                SqliteValue::Integer(number) => ValueRef::Int(number),
                SqliteValue::Text(text) => ValueRef::Text(
                    std::str::from_utf8(text).map_err(|_| Error::Corrupt { what: "a text column" })?,
                ),
                SqliteValue::Blob(bytes) => ValueRef::Bytes(bytes),
                SqliteValue::Real(_) => {
                    return Err(Error::Corrupt { what: "a column of a floating-point kind" });
                }
            },
            Self::Postgres(row) => row.try_get(index)?,
        };
        T::from_value(value).ok_or(Error::Corrupt { what: "a column of another kind" })
    }
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => SqliteValue::Null,
            Self::Int(number) => SqliteValue::Integer(*number),
            Self::Bool(flag) => SqliteValue::Integer(i64::from(*flag)),
            Self::Text(text) => SqliteValue::Text(text.as_bytes()),
            Self::Bytes(bytes) => SqliteValue::Blob(bytes),
            Self::Id(id) => SqliteValue::Blob(id),
        }))
    }
}

impl tokio_postgres::types::ToSql for Value {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        match self {
            Self::Null => return Ok(IsNull::Yes),
            Self::Int(number) if *kind == Type::INT4 => {
                out.extend_from_slice(&i32::try_from(*number)?.to_be_bytes())
            }
            Self::Int(number) => out.extend_from_slice(&number.to_be_bytes()),
            Self::Bool(flag) => out.extend_from_slice(&[u8::from(*flag)]),
            Self::Text(text) => out.extend_from_slice(text.as_bytes()),
            Self::Bytes(bytes) => out.extend_from_slice(bytes),
            Self::Id(id) => out.extend_from_slice(id),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn to_sql_checked(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        let fits = match self {
            Self::Null => true,
            Self::Int(_) => matches!(*kind, Type::INT8 | Type::INT4),
            Self::Bool(_) => *kind == Type::BOOL,
            Self::Text(_) => matches!(*kind, Type::TEXT | Type::VARCHAR),
            Self::Bytes(_) => *kind == Type::BYTEA,
            Self::Id(_) => *kind == Type::UUID,
        };
        // The value stays out of the message: it may be a secret.
        if fits {
            self.to_sql(kind, out)
        } else {
            Err(format!("a parameter does not fit a column of type {kind}").into())
        }
    }
}

impl<'a> tokio_postgres::types::FromSql<'a> for ValueRef<'a> {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(match *kind {
            Type::INT8 => Self::Int(i64::from_be_bytes(raw.try_into()?)),
            Type::INT4 => Self::Int(i64::from(i32::from_be_bytes(raw.try_into()?))),
            Type::BOOL => Self::Bool(raw == [1]),
            Type::TEXT | Type::VARCHAR | Type::NAME => Self::Text(std::str::from_utf8(raw)?),
            Type::BYTEA => Self::Bytes(raw),
            Type::UUID => Self::Id(raw.try_into()?),
            _ => return Err(format!("columns of type {kind} are not used").into()),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Self::Null)
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

impl FromValue for i64 {
    fn from_value(value: ValueRef<'_>) -> Option<Self> {
        if let ValueRef::Int(number) = value { Some(number) } else { None }
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl FromValue for bool {
    fn from_value(value: ValueRef<'_>) -> Option<Self> {
        match value {
            ValueRef::Bool(flag) => Some(flag),
            ValueRef::Int(number) => Some(number != 0),
            _ => None,
        }
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl FromValue for String {
    fn from_value(value: ValueRef<'_>) -> Option<Self> {
        if let ValueRef::Text(text) = value { Some(text.to_owned()) } else { None }
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl FromValue for Vec<u8> {
    fn from_value(value: ValueRef<'_>) -> Option<Self> {
        if let ValueRef::Bytes(bytes) = value { Some(bytes.to_vec()) } else { None }
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<&Vec<u8>> for Value {
    fn from(bytes: &Vec<u8>) -> Self {
        Self::Bytes(bytes.clone())
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl FromValue for [u8; 32] {
    fn from_value(value: ValueRef<'_>) -> Option<Self> {
        if let ValueRef::Bytes(bytes) = value { bytes.try_into().ok() } else { None }
    }
}

impl From<[u8; 32]> for Value {
    fn from(bytes: [u8; 32]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl From<&[u8; 32]> for Value {
    fn from(bytes: &[u8; 32]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl FromValue for Timestamp {
    fn from_value(value: ValueRef<'_>) -> Option<Self> {
        if let ValueRef::Int(micros) = value { Self::from_microsecond(micros).ok() } else { None }
    }
}

impl From<Timestamp> for Value {
    fn from(at: Timestamp) -> Self {
        Self::Int(at.as_microsecond())
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: ValueRef<'_>) -> Option<Self> {
        if let ValueRef::Null = value { Some(None) } else { T::from_value(value).map(Some) }
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

macro_rules! ids {
    ($($id:ty),* $(,)?) => {$(
        impl FromValue for $id {
            fn from_value(value: ValueRef<'_>) -> Option<Self> {
                match value {
                    ValueRef::Id(bytes) => Some(Self::from_bytes(bytes)),
                    ValueRef::Bytes(bytes) => bytes.try_into().ok().map(Self::from_bytes),
                    _ => None,
                }
            }
        }

        impl From<$id> for Value {
            fn from(id: $id) -> Self {
                Self::Id(*id.as_bytes())
            }
        }
    )*};
}

ids!(
    AccessKeyId,
    BridgeTokenId,
    ClientId,
    CompanyId,
    DeliveryId,
    ScenarioId,
    EventId,
    JobId,
    LinkId,
    MemberId,
    ObjectId,
    PasskeyId,
    SessionId,
    OrderEmployerId,
    OrderId,
    PayrollReportId,
    PublicTokenId,
    TaskId,
    TemplateId,
    UserId,
    UserReportId,
    DeletionId,
    ConsentId,
    CallId,
    ScreenId,
    WebhookId,
);

macro_rules! words {
    ($($word:ty),* $(,)?) => {$(
        impl FromValue for $word {
            fn from_value(value: ValueRef<'_>) -> Option<Self> {
                if let ValueRef::Text(text) = value { text.parse().ok() } else { None }
            }
        }

        impl From<$word> for Value {
            fn from(word: $word) -> Self {
                Self::Text(word.as_str().to_owned())
            }
        }
    )*};
}

words!(Environment, OrderStatus, Product, Role, TaskStatus);
