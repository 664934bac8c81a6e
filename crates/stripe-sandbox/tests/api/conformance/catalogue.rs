//! Products, plans and prices; what reduces and taxes them.

use super::Checked;
use crate::support::id;

pub(super) async fn catalogue(checked: &mut Checked) -> String {
    let form = [
        ("name", "Pro"),
        ("default_price_data[currency]", "usd"),
        ("default_price_data[unit_amount]", "7999"),
        ("default_price_data[recurring][interval]", "month"),
        ("marketing_features[0][name]", "More"),
        ("images[]", "https://example.test/a.png"),
        ("package_dimensions[height]", "1.5"),
        ("package_dimensions[length]", "2"),
        ("package_dimensions[weight]", "3"),
        ("package_dimensions[width]", "4"),
        ("expand[]", "default_price"),
    ];
    let product = checked.post("/v1/products", &form).await;
    let (product, price) = (id(&product), id(&product["default_price"]));
    let path = format!("/v1/products/{product}");
    checked.get(&path).await;
    checked.post(&path, &[("description", "For teams"), ("metadata[a]", "b")]).await;
    let bare = id(&checked.post("/v1/products", &[("name", "Bare")]).await);
    checked.call("DELETE", &format!("/v1/products/{bare}"), &[]).await.ok();
    checked.get("/v1/products?active=true&limit=3").await;
    checked.get(&format!("/v1/products/{product}/features")).await;

    let form = [("product[name]", "Old"), ("currency", "eur"), ("amount", "900"), ("interval", "year")];
    let plan = format!("/v1/plans/{}", id(&checked.post("/v1/plans", &form).await));
    checked.get(&format!("{plan}?expand[]=product")).await;
    checked.post(&plan, &[("nickname", "Yearly"), ("trial_period_days", "7")]).await;
    checked.get("/v1/plans?active=true&expand[]=data.product").await;
    checked.call("DELETE", &plan, &[]).await.ok();

    let form = [("product", &*product), ("currency", "jpy"), ("unit_amount", "500"), ("lookup_key", "yen")];
    let once = id(&checked.post("/v1/prices", &form).await);
    let form =
        [("product", &*product), ("currency", "usd"), ("unit_amount_decimal", "12.5"), ("nickname", "half")];
    checked.post("/v1/prices", &form).await;
    checked.get(&format!("/v1/prices/{once}?expand[]=product")).await;
    checked.post(&format!("/v1/prices/{once}"), &[("nickname", "Yen"), ("active", "false")]).await;
    checked.get("/v1/prices?expand[]=data.product").await;
    price
}

pub(super) async fn discounts(checked: &mut Checked, price: &str) {
    let form =
        [("percent_off", "12.5"), ("duration", "repeating"), ("duration_in_months", "3"), ("name", "Autumn")];
    let coupon = id(&checked.post("/v1/coupons", &form).await);
    checked.post(&format!("/v1/coupons/{coupon}"), &[("name", "Fall"), ("metadata[a]", "b")]).await;
    checked.get(&format!("/v1/coupons/{coupon}")).await;
    checked.get("/v1/coupons").await;
    let form =
        [("promotion[type]", "coupon"), ("promotion[coupon]", &*coupon), ("expand[]", "promotion.coupon")];
    let code = id(&checked.post("/v1/promotion_codes", &form).await);
    checked.get(&format!("/v1/promotion_codes/{code}")).await;
    checked.get("/v1/promotion_codes?active=true").await;
    let form = [("display_name", "VAT"), ("inclusive", "false"), ("percentage", "8.875"), ("country", "DE")];
    let rate = id(&checked.post("/v1/tax_rates", &form).await);
    checked.post(&format!("/v1/tax_rates/{rate}"), &[("description", "VAT Germany")]).await;
    checked.get(&format!("/v1/tax_rates/{rate}")).await;
    checked.get("/v1/tax_rates").await;
    let customer = checked.sandbox.customer_with("pm_card_visa").await;
    let form = [
        ("customer", &*customer),
        ("items[0][price]", price),
        ("discounts[0][promotion_code]", &code),
        ("default_tax_rates[]", &rate),
        ("expand[]", "discounts.source.coupon"),
        ("expand[]", "latest_invoice.total_discount_amounts.discount"),
    ];
    let begun = checked.post("/v1/subscriptions", &form).await;
    assert_eq!(begun["discounts"][0]["object"], "discount");
    let item = id(&begun["items"]["data"][0]);
    let form = [
        ("items[0][id]", &*item),
        ("items[0][quantity]", "2"),
        ("items[0][discounts][0][coupon]", &coupon),
        ("expand[]", "items.data.discounts"),
    ];
    checked.post(&format!("/v1/subscriptions/{}", id(&begun)), &form).await;
    let form = [("customer", &*customer), ("amount", "500"), ("discounts[0][coupon]", &coupon)];
    checked.post("/v1/invoiceitems", &form).await;
    checked.get(&format!("/v1/invoiceitems?customer={customer}&expand[]=data.discounts")).await;
    let path = format!("/v1/customers/{customer}");
    checked.post(&path, &[("coupon", &coupon)]).await;
    checked.get(&path).await;
    checked.get(&format!("{path}/discount")).await;
    checked.call("DELETE", &format!("{path}/discount"), &[]).await.ok();
    checked.call("DELETE", &format!("/v1/subscriptions/{}/discount", id(&begun)), &[]).await.ok();
    checked.post(&format!("/v1/promotion_codes/{code}"), &[("active", "false")]).await;
    checked.call("DELETE", &format!("/v1/coupons/{coupon}"), &[]).await.ok();
}
