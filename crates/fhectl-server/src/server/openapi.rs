//! The OpenAPI document, made of what stands beside every handler.

use fhectl_core::protocol::api::ErrorReply;
use fhectl_core::protocol::endpoint::{JsonBytes, SavedKey};
use std::borrow::Cow;
use std::collections::BTreeMap;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, OneOfBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    Components, ContentBuilder, InfoBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder, SecurityRequirement,
};
use utoipa::{IntoResponses, PartialSchema, ToSchema};

/// What any route may answer instead.
pub(super) struct Refusals;

impl IntoResponses for Refusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let content = || ContentBuilder::new().schema(Some(Ref::from_schema_name("ErrorReply"))).build();
        let refusal = |status: &str, what: &str| {
            let response = ResponseBuilder::new().description(what).content("application/json", content()).build();
            (status.to_owned(), RefOr::T(response))
        };
        BTreeMap::from([
            refusal(
                "4XX",
                "The request cannot be served; 429 says in Retry-After when to come back. An inference of a token whose rows for \
                 the model are spent is 403 with the code row_budget_spent, and coming back does not help",
            ),
            refusal("5XX", "The server cannot serve it now; 503 says in Retry-After when to come back"),
        ])
    }
}

/// Bytes as they are, at least one. What must be in them is said by `docs/src/reference/formats.md`, and by the 422 that they get.
pub(super) struct Octets;

impl PartialSchema for Octets {
    fn schema() -> RefOr<Schema> {
        let binary = SchemaFormat::KnownFormat(KnownFormat::Binary);
        ObjectBuilder::new().schema_type(Type::String).format(Some(binary)).min_length(Some(1)).into()
    }
}

impl ToSchema for Octets {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Octets")
    }
}

/// The reply to an endpoint-form request, as a schema: to `save_key`, `append_key` and `inference`.
pub(super) struct EndpointReply;

impl PartialSchema for EndpointReply {
    fn schema() -> RefOr<Schema> {
        let reply = OneOfBuilder::new()
            .item(Ref::from_schema_name(SavedKey::name()))
            .item(ObjectBuilder::new().schema_type(Type::Null))
            .item(Ref::from_schema_name(JsonBytes::name()));
        reply.into()
    }
}

impl ToSchema for EndpointReply {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("EndpointReply")
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((SavedKey::name().into_owned(), SavedKey::schema()));
        schemas.push((JsonBytes::name().into_owned(), JsonBytes::schema()));
        SavedKey::schemas(schemas);
        JsonBytes::schemas(schemas);
    }
}

/// Adds what no single route knows.
pub(super) fn finished(mut document: OpenApi) -> Vec<u8> {
    document.info = InfoBuilder::new()
        .title("fhectl")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("Private machine-learning inference on encrypted data"))
        .build();
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("A token of this server, where it wants one"))
        .build();
    let components = document.components.get_or_insert_with(Components::new);
    components.add_security_scheme("token", SecurityScheme::Http(bearer));
    let mut schemas = vec![(ErrorReply::name().into_owned(), ErrorReply::schema())];
    ErrorReply::schemas(&mut schemas);
    components.schemas.extend(schemas);
    document.security =
        Some(vec![SecurityRequirement::default(), SecurityRequirement::new("token", Vec::<String>::new())]);
    document.to_json().unwrap_or_default().into_bytes()
}
