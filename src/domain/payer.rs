//! Who pays for a group, and with what.

use chrono::{DateTime, Days, Months, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::{FieldErrors, Invoice, Level, Money, Refusal, text};

/// How long before its end a card is said to end.
const SOON: Days = Days::new(60);

/// What a subscription is paid with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentMethod {
    /// A card's brand, or what else it is, in Stripe's words: `visa`, `sepa_debit`.
    pub kind: String,
    /// None where it has no number.
    pub last4: Option<String>,
    /// None for what doesn't end.
    pub expiry: Option<Expiry>,
}

/// The last month of a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expiry {
    pub year: i32,
    /// 1 to 12.
    pub month: u32,
    /// [`Level::Limit`] once it is over, [`Level::Warning`] when it soon is.
    pub level: Level,
}

impl Expiry {
    /// None for what isn't a month.
    pub fn new(year: i32, month: u32, now: DateTime<Utc>) -> Option<Self> {
        let end = NaiveDate::from_ymd_opt(year, month, 1)? + Months::new(1);
        let level = match now.date_naive() {
            today if today >= end => Level::Limit,
            today if today + SOON >= end => Level::Warning,
            _ => Level::Ok,
        };
        Some(Self { year, month, level })
    }
}

/// What is charged next, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NextCharge {
    pub amount: Money,
    pub at: DateTime<Utc>,
}

/// What Stripe has of a group, as its admin sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    pub payment_method: Option<PaymentMethod>,
    /// None where nothing will be charged.
    pub next_charge: Option<NextCharge>,
    /// The invoice that the subscription waits for.
    pub unpaid: Option<Invoice>,
    pub details: BillingDetails,
}

/// What invoices are made out to. Texts are empty where nothing was said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BillingDetails {
    pub name: String,
    pub line1: String,
    pub line2: String,
    pub postal_code: String,
    pub city: String,
    pub state: String,
    /// ISO 3166-1 alpha-2, upper case.
    pub country: String,
    /// One of [`TAX_ID_TYPES`].
    pub tax_id_type: String,
    pub tax_id: String,
}

impl BillingDetails {
    /// The details as they are kept: trimmed, and each of a kind that Stripe takes.
    ///
    /// # Errors
    /// [`Refusal::Invalid`], naming every field that is wrong.
    pub fn checked(self) -> Result<Self, Refusal> {
        let mut errors = FieldErrors::new();
        let mut take = |field: &str, what: &str, value: &str, min: usize, max: usize| {
            errors.take(field, text(value, what, min, max)).unwrap_or_default()
        };
        let checked = Self {
            name: take("name", "Name", &self.name, 1, 100),
            line1: take("line1", "Address", &self.line1, 0, 200),
            line2: take("line2", "Address line 2", &self.line2, 0, 200),
            postal_code: take("postal_code", "Postal code", &self.postal_code, 0, 20),
            city: take("city", "City", &self.city, 0, 100),
            state: take("state", "State or region", &self.state, 0, 100),
            tax_id: take("tax_id", "Tax id", &self.tax_id, 0, 50),
            ..self
        };
        if !checked.country.is_empty() && country_name(&checked.country).is_none() {
            errors.add("country", "Country must be one of the list.");
        }
        let known = TAX_ID_TYPES.split_whitespace().any(|known| known == checked.tax_id_type);
        match (checked.tax_id_type.is_empty(), checked.tax_id.is_empty()) {
            (true, true) => {}
            (true, false) => errors.add("tax_id_type", "Choose what kind of tax id this is."),
            (false, _) if !known => errors.add("tax_id_type", "The kind must be one of the list."),
            (false, true) => errors.add("tax_id", "Tax id is required where its kind is chosen."),
            (false, false) => {}
        }
        errors.into_result()?;
        Ok(checked)
    }
}

/// The kinds of tax ids that Stripe takes. Source: <https://docs.stripe.com/billing/customer/tax-ids>.
pub const TAX_ID_TYPES: &str = "ad_nrt ae_trn al_tin am_tin ao_tin ar_cuit au_abn au_arn aw_tin az_tin ba_tin bb_tin bd_bin bf_ifu bg_uic \
    bh_vat bj_ifu bo_tin br_cnpj br_cpf bs_tin by_tin ca_bn ca_gst_hst ca_pst_bc ca_pst_mb ca_pst_sk ca_qst \
    cd_nif ch_uid ch_vat cl_tin cm_niu cn_tin co_nit cr_tin cv_nif de_stn do_rcn ec_ruc eg_tin es_cif et_tin \
    eu_oss_vat eu_vat fo_vat gb_vat ge_vat gi_tin gn_nif hk_br hr_oib hu_tin ic_nif id_npwp il_vat in_gst is_vat \
    it_cf jp_cn jp_rn jp_trn ke_pin kg_tin kh_tin kr_brn kz_bin la_tin li_uid li_vat lk_vat ma_vat md_vat me_pib \
    mk_vat mr_nif mx_rfc my_frp my_itn my_sst ng_tin no_vat no_voec np_pan nz_gst om_vat pe_ruc ph_tin pl_nip \
    py_ruc ro_tin rs_pib ru_inn ru_kpp sa_vat sg_gst sg_uen si_tin sn_ninea sr_fin sv_nit th_vat tj_tin tr_tin \
    tw_vat tz_vat ua_vat ug_tin us_ein uy_ruc uz_tin uz_vat ve_rif vn_tin za_vat zm_tin zw_tin";

/// `EU VAT` of `eu_vat`.
pub fn tax_id_type_name(kind: &str) -> String {
    kind.replace('_', " ").to_uppercase()
}

/// Countries by their ISO 3166-1 alpha-2 code, in the order of their names.
pub fn countries() -> impl Iterator<Item = (&'static str, &'static str)> {
    COUNTRIES.split('|').filter_map(|country| country.split_once(' '))
}

/// The name of a country with this code.
pub fn country_name(code: &str) -> Option<&'static str> {
    countries().find_map(|(known, name)| (known == code).then_some(name))
}

const COUNTRIES: &str = "AF Afghanistan|AX Åland Islands|AL Albania|DZ Algeria|AS American Samoa|AD Andorra|AO Angola|AI Anguilla|\
    AQ Antarctica|AG Antigua and Barbuda|AR Argentina|AM Armenia|AW Aruba|AU Australia|AT Austria|AZ Azerbaijan|\
    BS Bahamas|BH Bahrain|BD Bangladesh|BB Barbados|BY Belarus|BE Belgium|BZ Belize|BJ Benin|BM Bermuda|BT Bhutan|\
    BO Bolivia|BQ Bonaire, Sint Eustatius and Saba|BA Bosnia and Herzegovina|BW Botswana|BV Bouvet Island|\
    BR Brazil|IO British Indian Ocean Territory|VG British Virgin Islands|BN Brunei|BG Bulgaria|BF Burkina Faso|\
    BI Burundi|KH Cambodia|CM Cameroon|CA Canada|CV Cape Verde|KY Cayman Islands|CF Central African Rep.|TD Chad|\
    CL Chile|CN China|CX Christmas Island|CC Cocos (Keeling) Islands|CO Colombia|KM Comoros|\
    CD Congo, Democratic Republic|CG Congo, Republic|CK Cook Islands|CR Costa Rica|CI Côte d'Ivoire|HR Croatia|\
    CU Cuba|CW Curaçao|CY Cyprus|CZ Czechia|DK Denmark|DJ Djibouti|DM Dominica|DO Dominican Republic|EC Ecuador|\
    EG Egypt|SV El Salvador|GQ Equatorial Guinea|ER Eritrea|EE Estonia|SZ Eswatini|ET Ethiopia|\
    FK Falkland Islands|FO Faroe Islands|FJ Fiji|FI Finland|FR France|GF French Guiana|PF French Polynesia|\
    TF French Southern Territories|GA Gabon|GM Gambia|GE Georgia|DE Germany|GH Ghana|GI Gibraltar|GR Greece|\
    GL Greenland|GD Grenada|GP Guadeloupe|GU Guam|GT Guatemala|GG Guernsey|GN Guinea|GW Guinea-Bissau|GY Guyana|\
    HT Haiti|HM Heard Island and McDonald Islands|HN Honduras|HK Hong Kong|HU Hungary|IS Iceland|IN India|\
    ID Indonesia|IR Iran|IQ Iraq|IE Ireland|IM Isle of Man|IL Israel|IT Italy|JM Jamaica|JP Japan|JE Jersey|\
    JO Jordan|KZ Kazakhstan|KE Kenya|KI Kiribati|KW Kuwait|KG Kyrgyzstan|LA Laos|LV Latvia|LB Lebanon|LS Lesotho|\
    LR Liberia|LY Libya|LI Liechtenstein|LT Lithuania|LU Luxembourg|MO Macao|MG Madagascar|MW Malawi|MY Malaysia|\
    MV Maldives|ML Mali|MT Malta|MH Marshall Islands|MQ Martinique|MR Mauritania|MU Mauritius|YT Mayotte|\
    MX Mexico|FM Micronesia|MD Moldova|MC Monaco|MN Mongolia|ME Montenegro|MS Montserrat|MA Morocco|MZ Mozambique|\
    MM Myanmar|NA Namibia|NR Nauru|NP Nepal|NL Netherlands|NC New Caledonia|NZ New Zealand|NI Nicaragua|NE Niger|\
    NG Nigeria|NU Niue|NF Norfolk Island|KP North Korea|MK North Macedonia|MP Northern Mariana Islands|NO Norway|\
    OM Oman|PK Pakistan|PW Palau|PS Palestine|PA Panama|PG Papua New Guinea|PY Paraguay|PE Peru|PH Philippines|\
    PN Pitcairn|PL Poland|PT Portugal|PR Puerto Rico|QA Qatar|RE Réunion|RO Romania|RU Russia|RW Rwanda|\
    BL Saint Barthélemy|SH Saint Helena|KN Saint Kitts and Nevis|LC Saint Lucia|MF Saint Martin (French part)|\
    PM Saint Pierre and Miquelon|VC Saint Vincent and the Grenadines|WS Samoa|SM San Marino|\
    ST São Tomé and Príncipe|SA Saudi Arabia|SN Senegal|RS Serbia|SC Seychelles|SL Sierra Leone|SG Singapore|\
    SX Sint Maarten (Dutch part)|SK Slovakia|SI Slovenia|SB Solomon Islands|SO Somalia|ZA South Africa|\
    GS South Georgia and the South Sandwich Islands|KR South Korea|SS South Sudan|ES Spain|LK Sri Lanka|SD Sudan|\
    SR Suriname|SJ Svalbard and Jan Mayen|SE Sweden|CH Switzerland|SY Syria|TW Taiwan|TJ Tajikistan|TZ Tanzania|\
    TH Thailand|TL Timor-Leste|TG Togo|TK Tokelau|TO Tonga|TT Trinidad and Tobago|TN Tunisia|TR Türkiye|\
    TM Turkmenistan|TC Turks and Caicos Islands|TV Tuvalu|UG Uganda|UA Ukraine|AE United Arab Emirates|\
    GB United Kingdom|US United States|UY Uruguay|UM US Outlying Islands|VI US Virgin Islands|UZ Uzbekistan|\
    VU Vanuatu|VA Vatican City|VE Venezuela|VN Vietnam|WF Wallis and Futuna|EH Western Sahara|YE Yemen|ZM Zambia|\
    ZW Zimbabwe";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_holds_until_its_month_is_over() {
        let level = |now: &str| Expiry::new(2026, 2, now.parse().unwrap()).unwrap().level;
        assert_eq!(level("2025-12-30T23:59:59Z"), Level::Ok);
        assert_eq!(level("2025-12-31T00:00:00Z"), Level::Warning);
        assert_eq!(level("2026-02-28T23:59:59Z"), Level::Warning);
        assert_eq!(level("2026-03-01T00:00:00Z"), Level::Limit);
        assert_eq!(Expiry::new(2026, 13, DateTime::UNIX_EPOCH), None);
    }

    #[test]
    fn what_is_wrong_with_the_details_is_named() {
        let good = BillingDetails {
            name: " Acme Ltd ".into(),
            country: "DE".into(),
            tax_id_type: "eu_vat".into(),
            tax_id: "DE123456789".into(),
            ..BillingDetails::default()
        };
        assert_eq!(good.clone().checked().unwrap().name, "Acme Ltd");
        for (field, wrong) in [
            ("name", BillingDetails { name: " ".into(), ..good.clone() }),
            ("line1", BillingDetails { line1: "a\nb".into(), ..good.clone() }),
            ("country", BillingDetails { country: "de".into(), ..good.clone() }),
            ("tax_id_type", BillingDetails { tax_id_type: "eu".into(), ..good.clone() }),
            ("tax_id_type", BillingDetails { tax_id_type: String::new(), ..good.clone() }),
            ("tax_id", BillingDetails { tax_id: String::new(), ..good.clone() }),
        ] {
            let Err(Refusal::Invalid(errors)) = wrong.checked() else { panic!("{field}") };
            assert_eq!(errors.iter().map(|error| error.field.as_str()).collect::<Vec<_>>(), [field]);
        }
    }

    #[test]
    fn each_country_has_a_code_of_its_own() {
        let codes: std::collections::HashSet<_> = countries().map(|(code, _)| code).collect();
        assert_eq!((codes.len(), countries().count()), (249, 249));
        assert!(codes.iter().all(|code| code.len() == 2 && code.bytes().all(|b| b.is_ascii_uppercase())));
        assert_eq!(country_name("AT"), Some("Austria"));
        assert_eq!(tax_id_type_name("eu_vat"), "EU VAT");
    }
}
