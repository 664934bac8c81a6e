//! Tax rates.

use serde_json::{Value, json};

use crate::engine::{ApiError, Kind, new_id};
use crate::http::{
    Call, Field, METADATA, Route, Shape, get, given, list, matches, merge_metadata, new_metadata, opt, page,
    post, req, set,
};

const KIND: Kind = Kind::TaxRate;
const PATH: &str = "/v1/tax_rates";

const TYPE: Shape = Shape::Enum(&[
    "amusement_tax",
    "communications_tax",
    "gst",
    "hst",
    "igst",
    "jct",
    "lease_tax",
    "mass_transit_parking_tax",
    "parking_tax",
    "pst",
    "qst",
    "retail_delivery_fee",
    "rst",
    "sales_tax",
    "service_tax",
    "vat",
]);
const CREATE: &[Field] = &[
    opt("active", Shape::Bool),
    opt("country", Shape::Text),
    opt("description", Shape::Text),
    req("display_name", Shape::Text),
    req("inclusive", Shape::Bool),
    opt("jurisdiction", Shape::Text),
    opt("metadata", Shape::Map),
    req("percentage", Shape::Decimal),
    opt("state", Shape::Text),
    opt("tax_type", TYPE),
];
const UPDATE: &[Field] = &[
    opt("active", Shape::Bool),
    opt("country", Shape::Text),
    opt("description", Shape::Text),
    opt("display_name", Shape::Text),
    opt("jurisdiction", Shape::Text),
    METADATA,
    opt("state", Shape::Text),
    opt("tax_type", TYPE),
];

pub(super) const ROUTES: &[Route] = &[
    list(
        PATH,
        &[opt("active", Shape::Bool), opt("created", Shape::Range), opt("inclusive", Shape::Bool)],
        |call| {
            let params = call.params;
            page(call.tx, KIND, PATH, params, |doc| {
                ["active", "inclusive"].iter().all(|field| matches(&doc.object, params, field))
            })
        },
    ),
    post(PATH, CREATE, create),
    get("/v1/tax_rates/{id}", &[], |call| call.tx.find(KIND, call.id(), "id").map(|doc| doc.object.clone())),
    post("/v1/tax_rates/{id}", UPDATE, |call| {
        let doc = call.tx.find(KIND, call.id(), "id")?;
        let params = call.params;
        call.tx.update(KIND, doc.id(), "tax_rate.updated", |doc| {
            for field in
                ["active", "country", "description", "display_name", "jurisdiction", "state", "tax_type"]
            {
                set(&mut doc.object, params, field);
            }
            merge_metadata(&mut doc.object, params);
        });
        Ok(call.tx.shown(KIND, doc.id()))
    }),
];

fn create(call: &mut Call) -> Result<Value, ApiError> {
    let (tx, params) = (&mut *call.tx, call.params);
    let percentage =
        params["percentage"].as_str().and_then(|text| text.parse::<f64>().ok()).unwrap_or_default();
    if !(0.0..=100.0).contains(&percentage) {
        return Err(ApiError::invalid("The percentage must be between 0 and 100.").param("percentage"));
    }
    let id = new_id(KIND);
    let object = json!({
        "id": id,
        "object": "tax_rate",
        "active": given(params, "active", json!(true)),
        "country": params["country"],
        "created": tx.now(),
        "description": params["description"],
        "display_name": params["display_name"],
        "effective_percentage": percentage,
        "flat_amount": null,
        "inclusive": params["inclusive"],
        "jurisdiction": params["jurisdiction"],
        "jurisdiction_level": null,
        "livemode": false,
        "metadata": new_metadata(params),
        "percentage": percentage,
        "rate_type": "percentage",
        "state": params["state"],
        "tax_type": params["tax_type"],
    });
    tx.insert(KIND, object, Value::Null);
    tx.emit("tax_rate.created", KIND, &id);
    Ok(tx.shown(KIND, &id))
}
