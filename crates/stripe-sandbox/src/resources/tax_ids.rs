//! Customers' tax ids.
//!
//! Source: <https://docs.stripe.com/billing/customer/tax-ids>. Those that Stripe has looked up are looked up at once; as in
//! Stripe's test mode, the number says what comes of it.

use serde_json::{Value, json};

use crate::engine::{ApiError, Doc, Kind, Tx, new_id};
use crate::http::{Call, Field, Route, Shape, delete, get, list, opt, page, post, req, unsupported};

const KIND: Kind = Kind::TaxId;

#[rustfmt::skip]
const TYPES: &[&str] = &[
    "ad_nrt", "ae_trn", "al_tin", "am_tin", "ao_tin", "ar_cuit", "au_abn", "au_arn", "aw_tin", "az_tin",
    "ba_tin", "bb_tin", "bd_bin", "bf_ifu", "bg_uic", "bh_vat", "bj_ifu", "bo_tin", "br_cnpj", "br_cpf",
    "bs_tin", "by_tin", "ca_bn", "ca_gst_hst", "ca_pst_bc", "ca_pst_mb", "ca_pst_sk", "ca_qst", "cd_nif",
    "ch_uid", "ch_vat", "cl_tin", "cm_niu", "cn_tin", "co_nit", "cr_tin", "cv_nif", "de_stn", "do_rcn",
    "ec_ruc", "eg_tin", "es_cif", "et_tin", "eu_oss_vat", "eu_vat", "fo_vat", "gb_vat", "ge_vat", "gi_tin",
    "gn_nif", "hk_br", "hr_oib", "hu_tin", "ic_nif", "id_npwp", "il_vat", "in_gst", "is_vat", "it_cf",
    "jp_cn", "jp_rn", "jp_trn", "ke_pin", "kg_tin", "kh_tin", "kr_brn", "kz_bin", "la_tin", "li_uid",
    "li_vat", "lk_vat", "ma_vat", "md_vat", "me_pib", "mk_vat", "mr_nif", "mx_rfc", "my_frp", "my_itn",
    "my_sst", "ng_tin", "no_vat", "no_voec", "np_pan", "nz_gst", "om_vat", "pe_ruc", "ph_tin", "pl_nip",
    "py_ruc", "ro_tin", "rs_pib", "ru_inn", "ru_kpp", "sa_vat", "sg_gst", "sg_uen", "si_tin", "sn_ninea",
    "sr_fin", "sv_nit", "th_vat", "tj_tin", "tr_tin", "tw_vat", "tz_vat", "ua_vat", "ug_tin", "us_ein",
    "uy_ruc", "uz_tin", "uz_vat", "ve_rif", "vn_tin", "za_vat", "zm_tin", "zw_tin",
];
/// Those that a government's register is asked about.
const VERIFIED: [&str; 3] = ["au_abn", "eu_vat", "gb_vat"];

/// A tax id as it is given.
pub(super) const DATA: &[Field] = &[req("type", Shape::Enum(TYPES)), req("value", Shape::Text)];

/// Whose tax ids are listed: without a word the account's own, of which there are none.
const OWNER: &[Field] = &[opt(
    "owner",
    Shape::Object(&[
        req("type", Shape::Enum(&["account", "application", "customer", "self"])),
        opt("customer", Shape::Text),
        unsupported(&["account", "customer_account"]),
    ]),
)];
/// Customers' alone are kept here; at Stripe an account has some of its own, and without an owner it is one of them.
const CREATE: &[Field] = &[
    req("type", Shape::Enum(TYPES)),
    req("value", Shape::Text),
    req(
        "owner",
        Shape::Object(&[
            req("type", Shape::Enum(&["customer"])),
            req("customer", Shape::Text),
            unsupported(&["account", "customer_account"]),
        ]),
    ),
];

pub(super) const ROUTES: &[Route] = &[
    list("/v1/tax_ids", OWNER, |call| {
        let owner = &call.params["owner"];
        let customer = owner["customer"].as_str().filter(|_| owner["type"] == "customer");
        page(call.tx, KIND, "/v1/tax_ids", call.params, |doc| {
            customer.is_some_and(|customer| doc.object["customer"] == customer)
        })
    }),
    post("/v1/tax_ids", CREATE, |call| {
        let at = "owner[customer]";
        let customer = call.params["owner"]["customer"].as_str().unwrap_or_default();
        let customer = call.tx.find(Kind::Customer, customer, at)?;
        call.tx.keep_time_of(customer.id(), true)?;
        add(call.tx, customer.id(), call.params, "value")
    }),
    get("/v1/tax_ids/{id}", &[], |call| call.tx.find(KIND, call.id(), "id").map(|doc| doc.object.clone())),
    delete("/v1/tax_ids/{id}", &[], |call| {
        let doc = call.tx.find(KIND, call.id(), "id")?;
        Ok(remove(call.tx, doc.id()))
    }),
    list("/v1/customers/{customer}/tax_ids", &[], |call| {
        let customer = call.tx.find(Kind::Customer, call.id(), "customer")?;
        let url = format!("/v1/customers/{}/tax_ids", customer.id());
        page(call.tx, KIND, &url, call.params, |doc| doc.object["customer"] == customer.id())
    }),
    post("/v1/customers/{customer}/tax_ids", DATA, |call| {
        let customer = call.tx.find(Kind::Customer, call.id(), "customer")?;
        add(call.tx, customer.id(), call.params, "value")
    }),
    get("/v1/customers/{customer}/tax_ids/{id}", &[], |call| find(call).map(|doc| doc.object.clone())),
    delete("/v1/customers/{customer}/tax_ids/{id}", &[], |call| {
        let doc = find(call)?;
        Ok(remove(call.tx, doc.id()))
    }),
];

/// Takes a tax id from its customer.
pub(crate) fn remove(tx: &mut Tx, id: &str) -> Value {
    tx.emit("customer.tax_id.deleted", KIND, id);
    tx.mark_deleted(KIND, id)
}

fn find(call: &Call) -> Result<std::sync::Arc<Doc>, ApiError> {
    let [customer, id] = call.ids else { return Err(ApiError::required("id")) };
    let doc = call.tx.find(KIND, id, "id")?;
    if doc.object["customer"] == **customer { Ok(doc) } else { Err(ApiError::missing(KIND, id, "id")) }
}

/// Makes the tax ids of a new customer, once it is announced.
///
/// # Errors
/// If one of them can't be a number of its type.
pub(super) fn create_all(tx: &mut Tx, customer: &str, given: &Value) -> Result<(), ApiError> {
    for (index, data) in given.as_array().into_iter().flatten().enumerate() {
        add(tx, customer, data, &format!("tax_id_data[{index}][value]"))?;
    }
    Ok(())
}

/// Gives a customer a tax id, which is then looked up. Returns it as it was before that; `param` is what gave its value.
///
/// # Errors
/// If it can't be a number of its type.
pub(crate) fn add(tx: &mut Tx, customer: &str, data: &Value, param: &str) -> Result<Value, ApiError> {
    let id = create(tx, customer, data, param)?;
    let shown = tx.shown(KIND, &id);
    verify(tx, &id);
    Ok(shown)
}

fn create(tx: &mut Tx, customer: &str, data: &Value, param: &str) -> Result<String, ApiError> {
    let (kind, value) =
        (data["type"].as_str().unwrap_or_default(), data["value"].as_str().unwrap_or_default());
    if !is_well_formed(kind, value) {
        return Err(ApiError::invalid(format!("Invalid value for {kind}."))
            .code("tax_id_invalid")
            .param(param));
    }
    let id = new_id(KIND);
    let status = if VERIFIED.contains(&kind) { "pending" } else { "unavailable" };
    let object = json!({
        "id": id,
        "object": "tax_id",
        "country": country(kind, value),
        "created": tx.now(),
        "customer": customer,
        "customer_account": null,
        "livemode": false,
        "owner": {"customer": customer, "customer_account": null, "type": "customer"},
        "type": kind,
        "value": value,
        "verification": {"status": status, "verified_address": null, "verified_name": null},
    });
    tx.insert(KIND, object, Value::Null);
    tx.emit("customer.tax_id.created", KIND, &id);
    Ok(id)
}

/// The forms that are checked here are those of the types met most; of the others only that there is something to them.
fn is_well_formed(kind: &str, value: &str) -> bool {
    let plain: String = value.chars().filter(|char| !matches!(char, ' ' | '.' | '-')).collect();
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match kind {
        "eu_vat" => match plain.split_at_checked(2) {
            Some((country, rest)) => {
                EU.contains(&&*country.to_ascii_uppercase())
                    && (2..=12).contains(&rest.len())
                    && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'*')
            }
            None => false,
        },
        "gb_vat" => plain
            .strip_prefix("GB")
            .or(plain.strip_prefix("XI"))
            .is_some_and(|rest| digits(rest) && matches!(rest.len(), 9 | 12)),
        "us_ein" => digits(&plain) && plain.len() == 9,
        "au_abn" => digits(&plain) && plain.len() == 11,
        _ => plain.chars().any(char::is_alphanumeric),
    }
}

/// Greece writes EL before its numbers; Northern Ireland XI.
const EU: [&str; 29] = [
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "EL", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT",
    "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK", "XI",
];

fn country(kind: &str, value: &str) -> Value {
    let prefix = |text: &str| text.get(..2).map(str::to_ascii_uppercase);
    match kind {
        "eu_oss_vat" => Value::Null,
        "eu_vat" => match prefix(value).as_deref() {
            Some("EL") => json!("GR"),
            other => json!(other),
        },
        _ => json!(prefix(kind)),
    }
}

/// What the register answers. Source: <https://docs.stripe.com/billing/customer/tax-ids#test-mode-magic-tax-ids>
fn verify(tx: &mut Tx, id: &str) {
    tx.update(KIND, id, "customer.tax_id.updated", |doc| {
        let value = doc.object["value"].as_str().unwrap_or_default().to_owned();
        let verification = &mut doc.object["verification"];
        if verification["status"] != "pending" {
            return;
        }
        if value.contains("000000000") {
            *verification = json!({
                "status": "verified", "verified_address": "1 Sandbox Way", "verified_name": "Sandbox",
            });
        } else if value.contains("111111111") {
            verification["status"] = json!("unverified");
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_can_not_be_are_told_from_those_that_can() {
        for (kind, value) in [
            ("eu_vat", "DE123456789"),
            ("eu_vat", "ATU1234567"),
            ("eu_vat", "IE 1234567 WA"),
            ("gb_vat", "GB123456789"),
            ("us_ein", "12-3456789"),
            ("au_abn", "12 345 678 912"),
            ("ch_vat", "CHE-123.456.789 MWST"),
        ] {
            assert!(is_well_formed(kind, value), "{kind} {value}");
        }
        for (kind, value) in
            [("eu_vat", "US123456789"), ("eu_vat", "DE"), ("gb_vat", "123"), ("us_ein", "1"), ("ch_vat", "-")]
        {
            assert!(!is_well_formed(kind, value), "{kind} {value}");
        }
    }

    #[test]
    fn a_tax_id_is_of_a_country() {
        assert_eq!(country("eu_vat", "EL123456789"), "GR");
        assert_eq!(country("us_ein", "12-3456789"), "US");
        assert_eq!(country("eu_oss_vat", "EU123456789"), Value::Null);
    }
}
