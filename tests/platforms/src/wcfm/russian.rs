//! The messages of WordPress and its plugins in Russian. They are no recordings: a client must go by the codes and not by any words,
//! and these are words that it has never seen.

/// Each English text or part of one, and the Russian for it. A longer one comes before a shorter one that it contains.
const PHRASES: [(&str, &str); 26] = [
    (
        "No route was found matching the URL and request method.",
        "Подходящий маршрут для URL и метода запроса не найден.",
    ),
    ("Sorry, you are not allowed to do that.", "Извините, вам не разрешено выполнять данное действие."),
    ("You don&#8217;t have permission to do this.", "У вас нет прав для этого действия."),
    ("Invalid JSON body passed.", "Передано некорректное тело JSON."),
    ("Syntax error", "Синтаксическая ошибка"),
    ("There has been a critical error on this website.", "На сайте возникла критическая ошибка."),
    ("Learn more about troubleshooting WordPress.", "Узнайте больше про решение проблем с WordPress."),
    ("Invalid parameter(s): ", "Неверный параметр: "),
    ("Missing parameter(s): ", "Отсутствует параметр: "),
    (" must be greater than or equal to 1", " должен быть больше или равен 1"),
    (" must be between 1 (inclusive) and 100 (inclusive)", " должен быть от 1 до 100 (включительно)"),
    (" is not of type integer.", " не относится к типу integer."),
    ("<strong>Error:</strong> The password field is empty.", "<strong>Ошибка:</strong> вы не ввели пароль."),
    (
        "<strong>Error:</strong> The password you entered for the username ",
        "<strong>Ошибка:</strong> введённый вами пароль для имени пользователя ",
    ),
    (" is incorrect. ", " неверен. "),
    ("Lost your password?", "Забыли пароль?"),
    ("<strong>Error:</strong> The username ", "<strong>Ошибка:</strong> имя пользователя "),
    (
        " is not registered on this site. If you are unsure of your username, try your email address instead.",
        " не зарегистрировано на этом сайте. Если вы не уверены в имени пользователя, попробуйте адрес email.",
    ),
    (
        "Invalid Vendor - Order Id do not belong to the loggedin vendor",
        "Неверный продавец: заказ не принадлежит вошедшему продавцу",
    ),
    ("Invalid Vendor", "Неверный продавец"),
    ("Order status not valid", "Неверный статус заказа"),
    ("Invalid ID", "Неверный ID"),
    (
        "To manipulate product variations you should use the /products/&lt;product_id&gt;/variations/&lt;id&gt; endpoint.",
        "Для вариаций товара используйте адрес /products/&lt;product_id&gt;/variations/&lt;id&gt;.",
    ),
    ("Error getting remote image", "Ошибка получения удалённого изображения"),
    (". Error: Not Found", ". Ошибка: не найдено"),
    (" is an invalid image ID.", " - неверный ID изображения."),
];

/// A text with everything in it that has a translation translated.
pub(super) fn translated(text: &str) -> String {
    PHRASES.iter().fold(text.to_owned(), |text, (english, russian)| text.replace(english, russian))
}
