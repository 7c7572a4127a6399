//! Refusals in Russian: the code decides, whatever the words are (protocol notes, section 4).

use tradepost_help_ka::HelpKa;
use tradepost_sdk::prelude::*;
use tradepost_sdk::testing::Host;

fn refusal(status: u16, code: &str, message: &str) -> Answer {
    // Codes of a wrong login come without data, and then with 500 (protocol notes, section 3.2).
    let data = if status == 500 { "null".to_owned() } else { format!(r#"{{"status":{status}}}"#) };
    let body = json::Object::new().text("code", code).text("message", message).raw("data", &data).finish();
    Answer::json(status, body)
}

fn kind(answer: Answer) -> String {
    let fault = Host::new().then(answer).run(|| <HelpKa as Orders>::get("274".into())).unwrap_err();
    match fault.kind {
        ErrorKind::InvalidInput(issues) => format!("invalid-input {} {}", issues[0].pointer, issues[0].code),
        other => format!("{other:?}"),
    }
}

#[test]
fn every_code_means_in_russian_what_it_means_in_english() {
    let cases = [
        (500, "incorrect_password", "<strong>Ошибка:</strong> введённый пароль неверен.", "ErrorKind::AuthRejected"),
        (500, "invalid_username", "Неизвестное имя пользователя.", "ErrorKind::AuthRejected"),
        (500, "invalid_email", "Неизвестный адрес email.", "ErrorKind::AuthRejected"),
        (500, "empty_password", "Вы не ввели пароль.", "ErrorKind::AuthRejected"),
        (500, "empty_username", "Вы не ввели имя пользователя.", "ErrorKind::AuthRejected"),
        (403, "[jwt_auth] incorrect_password", "Введённый пароль неверен.", "ErrorKind::AuthRejected"),
        (403, "jwt_auth_no_auth_header", "Заголовок авторизации не найден.", "ErrorKind::AuthRejected"),
        (403, "jwt_auth_bad_auth_header", "Заголовок авторизации неверен.", "ErrorKind::AuthRejected"),
        (403, "jwt_auth_bad_iss", "Токен выдан другим сервером.", "ErrorKind::AuthExpired"),
        (403, "jwt_auth_bad_request", "Пользователь не найден в токене.", "ErrorKind::AuthExpired"),
        (403, "jwt_auth_invalid_token", "Срок действия токена истёк.", "ErrorKind::AuthExpired"),
        (401, "rest_forbidden", "Извините, вам не разрешено выполнять данное действие.", "ErrorKind::AuthRejected"),
        (403, "rest_forbidden", "Извините, вам не разрешено выполнять данное действие.", "ErrorKind::Forbidden"),
        (404, "rest_no_route", "Подходящий маршрут для URL и метода запроса не найден.", "ErrorKind::Unsupported"),
        (404, "wcfmapi_rest_invalid_product_id", "Неверный ID.", "ErrorKind::NotFound"),
        (404, "wcfmapi_rest_invalid_shop_order_id", "Неверный ID.", "ErrorKind::NotFound"),
        (404, "wcfmapi_rest_invalid_vendor", "Неверный продавец.", "ErrorKind::NotFound"),
        (
            404,
            "wcfmapi_rest_invalid_shop_order_status",
            "Неверный статус заказа.",
            "invalid-input /target wcfmapi_rest_invalid_shop_order_status",
        ),
        (
            400,
            "woocommerce_product_image_upload_error",
            "Ошибка получения изображения.",
            "invalid-input /images woocommerce_product_image_upload_error",
        ),
        (
            400,
            "woocommerce_product_invalid_image_id",
            "Неверный ID изображения.",
            "invalid-input /images woocommerce_product_invalid_image_id",
        ),
        (400, "product_invalid_sku", "Такой артикул уже используется.", "invalid-input /sku product_invalid_sku"),
        (400, "rest_invalid_param", "Неверный параметр: per_page", "invalid-input  rest_invalid_param"),
        (
            400,
            "rest_missing_callback_param",
            "Отсутствует параметр: status",
            "invalid-input  rest_missing_callback_param",
        ),
        (400, "rest_invalid_json", "Передано неверное тело JSON.", "invalid-input  rest_invalid_json"),
        (409, "wcfmapi_rest_cannot_delete", "Не удалось удалить товар.", "ErrorKind::Conflict"),
    ];
    for (status, code, russian, expected) in cases {
        for message in [russian, "Some words in English.", ""] {
            assert_eq!(kind(refusal(status, code, message)), expected, "{code}: {message}");
        }
    }
}

#[test]
fn russian_words_reach_people_as_plain_text() {
    let answer = refusal(400, "product_invalid_sku", "<strong>Артикул</strong> &laquo;A-1&raquo; &amp; другой");
    let fault = Host::new().then(answer).run(|| <HelpKa as Orders>::get("274".into())).unwrap_err();
    assert_eq!(fault.message, "Артикул «A-1» & другой");
    let role = Answer::json(200, r#"{"success":false,"data":"У вас нет прав."}"#);
    let fault = Host::new().then(role).run(|| <HelpKa as Orders>::get("274".into())).unwrap_err();
    assert_eq!((fault.kind, fault.detail.as_str()), (ErrorKind::Forbidden, "У вас нет прав."));
}

/// Seed 003 translates an example table (kittens, a teapot). Without a code the HTTP status is all there is.
#[test]
fn the_documented_table_of_statuses_is_read_as_http() {
    for (status, expected) in [
        (401, "ErrorKind::AuthRejected"),
        (403, "ErrorKind::Forbidden"),
        (404, "ErrorKind::NotFound"),
        (429, "ErrorKind::RateLimited(RetryHint { retry-after-ms: None })"),
        (500, "ErrorKind::Transient(RetryHint { retry-after-ms: None })"),
        (503, "ErrorKind::Transient(RetryHint { retry-after-ms: None })"),
    ] {
        assert_eq!(kind(Answer::new(status, "котёнок не найден")), expected, "{status}");
    }
}
